"""What a picture was made with, in the words of AUTOMATIC1111's web UI, which most programs of this kind read.

::

    the surface of the moon                                   the prompt, of any number of lines
    Negative prompt: clouds                                   likewise; left out where it is empty
    Steps: 30, Sampler: DDIM, CFG scale: 7.5, Seed: 7, …      the settings, on one line

A value that holds a comma, a colon, a quotation mark or a line break is written as a JSON string. (As the web UI
1.10 writes and reads it; its "Schedule type" came with 1.9, before that it was the end of the sampler's name.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec

from bot.png_text import LONGEST
from inference import MAX_GUIDANCE, MAX_SEED, ImageRequest, InitKind, PictureRef, Sampler, Size

_NEGATIVE = "Negative prompt:"
_SAMPLERS = {
    "ddim": Sampler.DDIM,
    "dpm++ 2m": Sampler.DPMPP_2M,
    "dpm++ 2m karras": Sampler.DPMPP_2M_KARRAS,
    "euler": Sampler.EULER,
    "euler a": Sampler.EULER_A,
    "unipc": Sampler.UNIPC,
    "lcm": Sampler.LCM,
}
_NAMES = {
    Sampler.DDIM: "DDIM",
    Sampler.DPMPP_2M: "DPM++ 2M",
    Sampler.DPMPP_2M_KARRAS: "DPM++ 2M Karras",
    Sampler.EULER: "Euler",
    Sampler.EULER_A: "Euler a",
    Sampler.UNIPC: "UniPC",
    Sampler.LCM: "LCM",
}
_PLAIN_SCHEDULES = ("", "automatic", "uniform", "normal")
_MOST_STEPS, _LONGEST_SIDE, _LONGEST_NAME = 10_000, 100_000, 100

# Every part has a most, so that the whole takes time in proportion to the line, whatever a stranger wrote there.
_SETTING = re.compile(
    r'\s{0,4}([A-Za-z][\w /+-]{0,40}):\s{0,4}("(?:\\.|[^"\\]){0,1000}"(?=\s{0,4}(?:,|$))|[^,]*)'
)
_LAST_LINE = re.compile(r"\s{0,4}Steps:\s{0,4}\d")
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_SIZE = re.compile(r"([0-9]{1,6})x([0-9]{1,6})")


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What was understood of a stranger's text; None or empty where it says nothing that makes sense here.

    model: a file's name on the machine where it was made. strength: 0 < strength ≤ 1.
    """

    prompt: str = ""
    negative: str = ""
    steps: int | None = None
    sampler: Sampler | None = None
    guidance: float | None = None
    seed: int | None = None
    size: Size | None = None
    model: str = ""
    strength: float | None = None


def write(
    request: ImageRequest, sample: int, model_version: str = "", parent: PictureRef | None = None
) -> str:
    """The text for one sample's result. What only this bot understands has names that begin with Moonsketch.

    parent: the file of the picture that it was drawn from, where `request` names its latents.
    A line of a prompt that would be taken for the heading of the negative prompt is put behind the line before it.
    """
    lines = [_without_heading(request.prompt)]
    if request.negative_prompt.strip():
        lines.append(f"{_NEGATIVE} {_without_heading(request.negative_prompt)}")
    lines.append(
        ", ".join(
            f"{name}: {_quoted(value)}" for name, value in _settings(request, sample, model_version, parent)
        )
    )
    return "\n".join(lines)


def read(text: str) -> Parameters | None:
    """What a stranger's text says; None where it is nothing of this kind. Never raises."""
    lines = text[:LONGEST].strip().split("\n")
    last = _line_of_settings(lines)
    if last is None:
        return None
    prompt, negative = _prompts(lines[:last])
    values = dict(_values(lines[last]))
    return Parameters(
        prompt=prompt,
        negative=negative,
        steps=_whole(values.get("steps"), 1, _MOST_STEPS),
        sampler=_sampler(values.get("sampler", ""), values.get("schedule type", "")),
        guidance=_number(values.get("cfg scale"), 0, MAX_GUIDANCE),
        seed=_whole(values.get("seed"), 0, MAX_SEED),
        size=_size(values.get("size", "")),
        model=values.get("model", "")[:_LONGEST_NAME],
        strength=_number(values.get("denoising strength"), 0, 1) or None,
    )


def _settings(
    request: ImageRequest, sample: int, model_version: str, parent: PictureRef | None
) -> Iterator[tuple[str, str]]:
    size = request.frame.content
    yield "Steps", str(request.steps)
    yield "Sampler", _NAMES[request.sampler]
    if request.sampler is Sampler.DPMPP_2M:
        yield "Schedule type", "Uniform"  # without it, the newer versions take the one of Karras
    yield "CFG scale", f"{request.guidance:g}"
    yield "Seed", str(request.seeds[sample])
    yield "Size", f"{size.width}x{size.height}"
    yield "Model", request.model
    if request.init is not None:
        yield "Denoising strength", f"{request.strength_of(sample):g}"
        yield "Moonsketch parent", parent or request.init.ref
        if request.init.kind is not InitKind.PIXELS:
            yield "Moonsketch start", request.init.kind
    if request.mask is not None:
        yield "Moonsketch mask", request.mask
    if model_version:
        yield "Moonsketch weights", model_version


def _without_heading(prompt: str) -> str:
    lines: list[str] = []
    for line in map(str.strip, prompt.strip().split("\n")):
        if lines and line.startswith(_NEGATIVE):
            lines[-1] += f" {line}"
        else:
            lines.append(line)
    return "\n".join(lines)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if re.search(r'[,:"\n]', value) else value


def _line_of_settings(lines: list[str]) -> int | None:
    """Its number. It begins with the steps; some programs write more lines behind it, and some another order."""
    for number in range(len(lines) - 1, -1, -1):
        if _LAST_LINE.match(lines[number]):
            return number
    names = {name for name, _ in _values(lines[-1])}
    return (
        len(lines) - 1
        if len(names & {"steps", "sampler", "seed", "cfg scale", "size", "model"}) >= 3
        else None
    )


def _prompts(lines: list[str]) -> tuple[str, str]:
    prompt: list[str] = []
    negative: list[str] = []
    part = prompt
    for line in map(str.strip, lines):
        if line.startswith(_NEGATIVE):
            part = negative
            part.append(line[len(_NEGATIVE) :].strip())
        else:
            part.append(line)
    return "\n".join(prompt).strip(), "\n".join(negative).strip()


def _values(line: str) -> Iterator[tuple[str, str]]:
    """Lower-case names and their values, the quotation marks taken off; the first of a name comes last."""
    for found in reversed(_SETTING.findall(line)):
        name, value = found
        yield name.strip().lower(), _unquoted(value.strip())


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        said = json.loads(value)
    except ValueError:
        return value
    return said if isinstance(said, str) else value


def _sampler(name: str, schedule: str) -> Sampler | None:
    """Ours of that name; None where the schedule is one that ours does not run."""
    name, schedule = name.strip().lower(), schedule.strip().lower()
    if name == "dpm++ 2m" and schedule in ("karras", "automatic"):
        return Sampler.DPMPP_2M_KARRAS
    if name == "dpm++ 2m karras" and schedule == "karras":
        return Sampler.DPMPP_2M_KARRAS
    return _SAMPLERS.get(name) if schedule in _PLAIN_SCHEDULES else None


def _number(text: str | None, low: float, high: float) -> float | None:
    if text is None or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if low <= value <= high else None


def _whole(text: str | None, low: int, high: int) -> int | None:
    value = _number(text, low, high)
    return int(value) if value is not None and value.is_integer() else None


def _size(text: str) -> Size | None:
    found = _SIZE.fullmatch(text)
    return Size(int(found[1]), int(found[2])) if found and int(found[1]) and int(found[2]) else None
