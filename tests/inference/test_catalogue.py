"""models.toml and what is known of a model from its files alone."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference import Catalogue, ModelEntry, ModelInfo, Sampler, Size, Vocabulary
from inference.catalogue import (
    BUILT_IN_ENTRY,
    ONLY_BUILT_IN,
    VOCABULARY,
    CatalogueError,
    catalogue_of,
    folder_of,
    model_infos,
    problem_of,
    read_catalogue,
)
from inference.config import BUILT_IN


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "models.toml"
    path.write_text(text)
    return path


def make_model(folder: Path, *, sample_size: object = 64, blocks: int = 4, scaling: float = 0.18) -> None:
    """A folder in the diffusers layout, with weights of one tensor."""
    configs = {
        "model_index.json": {"_class_name": "StableDiffusionPipeline"},
        "unet/config.json": {"sample_size": sample_size},
        "vae/config.json": {"block_out_channels": [8] * blocks, "scaling_factor": scaling},
        "scheduler/scheduler_config.json": {"steps_offset": 1},
    }
    for name, content in configs.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    for part in ("unet", "vae"):
        write_weights(folder / part / "diffusion_pytorch_model.safetensors", bytes(12))


def write_weights(path: Path, data: bytes) -> None:
    header = json.dumps({"w": {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)


def info(tmp_path: Path, **entry: object) -> ModelInfo:
    models = {"m": ModelEntry(**({"folder": str(tmp_path / "m")} | entry))}  # type: ignore[arg-type]  # test data
    return model_infos(Catalogue(models=dict(models)), tmp_path)[0]


def test_tables_become_models_and_the_first_is_the_default(tmp_path: Path) -> None:
    """Folders are relative to the file; what a table leaves out keeps its default."""
    catalogue = read_catalogue(
        written(
            tmp_path,
            """
            [models.drawings]
            folder = "weights/drawings"
            title = "Drawings"
            steps = 8
            guidance = 1
            [models.photo]
            hub = "someone/a-model"
            revision = "abc"
            """,
        )
    )

    assert catalogue.default == "drawings"
    assert catalogue.models == {
        "drawings": ModelEntry(
            folder=str(tmp_path / "weights" / "drawings"), title="Drawings", steps=8, guidance=1.0
        ),
        "photo": ModelEntry(hub="someone/a-model", revision="abc"),
    }


def test_the_default_can_be_named(tmp_path: Path) -> None:
    """Then it comes first, and the others keep their order."""
    text = """
        default = "c"
        [models.a]
        folder = "a"
        [models.emoji]
        [models.c]
        folder = "c"
        """
    catalogue = read_catalogue(written(tmp_path, text))

    assert list(catalogue.models) == ["c", "a", BUILT_IN]


def test_the_built_in_model_is_listed_by_its_name_alone(tmp_path: Path) -> None:
    """An empty table means it; settings in it go before its own, and where it lies is not for the file to say."""
    empty = read_catalogue(written(tmp_path, "[models.emoji]"))
    changed = read_catalogue(written(tmp_path, "[models.emoji]\nsteps = 8\ntitle = 'Ours'"))
    (known,) = model_infos(changed, tmp_path)

    assert empty == ONLY_BUILT_IN != changed
    assert changed.models[BUILT_IN].folder == BUILT_IN_ENTRY.folder
    assert (known.steps, known.title, known.guidance) == (8, "Ours", BUILT_IN_ENTRY.guidance)


def test_a_built_in_model_of_former_versions_is_named(tmp_path: Path) -> None:
    """An old file is told what to write instead; a model of one's own may have that name."""
    with pytest.raises(CatalogueError, match=r"stand-in\]: there is no such model any more.*called emoji"):
        read_catalogue(written(tmp_path, "[models.stand-in]"))

    own = read_catalogue(written(tmp_path, "[models.stand-in]\nfolder = 'mine'"))
    assert own.models["stand-in"].folder == str(tmp_path / "mine")


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    """Who mends the file sees everything that is wrong with it, each with its place."""
    text = """
        defualt = "photo"
        default = "nobody"
        [models.Photo]
        hub = "someone/a-model"
        steps = 0
        strength = 1.5
        [models.both]
        folder = "x"
        hub = "https://example.org/x"
        sampler = "eular"
        stepps = 3
        [models.neither]
        native = 500
        guidance = "much"
        samplers = ["ddim", "moon"]
        [models.emoji]
        folder = "y"
        """
    with pytest.raises(CatalogueError) as caught:
        read_catalogue(written(tmp_path, text))

    wrong = {
        ("[models.Photo]", "small letters"),
        ("[models.Photo]", "steps"),
        ("[models.Photo]", "strength"),
        ("[models.both]", "exactly one"),
        ("[models.both]", "hub must"),
        ("[models.both]", "ddim"),
        ("[models.both]", "`stepps`"),
        ("[models.neither]", "exactly one"),
        ("[models.neither]", "native"),
        ("[models.neither]", "guidance"),
        ("[models.neither]", "samplers must be a list of ddim"),
        ("[models.emoji]", "built-in"),
        ("models.toml", "defualt"),
        ("default", "nobody"),
    }
    mistakes = caught.value.mistakes
    assert len(mistakes) == len(wrong)
    for place, word in wrong:
        assert [mistake for mistake in mistakes if place in mistake and word in mistake], (place, word)


@pytest.mark.parametrize("text", ["", "models = 3", "models.a = 1", "[models.a", "default = [1]"])
def test_a_file_that_lists_nothing_is_refused(tmp_path: Path, text: str) -> None:
    """Empty, of another shape, or no TOML at all: one sentence, no traceback."""
    with pytest.raises(CatalogueError):
        read_catalogue(written(tmp_path, text))


VALUES: st.SearchStrategy[object] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text("ab-/é", max_size=3)
    | st.just([1])
    | st.just({})
)
KEYS = st.sampled_from([field.name for field in msgspec.structs.fields(ModelEntry)]) | st.text(
    "ab-/é", max_size=3
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "default": VALUES,
            "models": VALUES | st.dictionaries(st.just("m"), VALUES | st.dictionaries(KEYS, VALUES)),
        },
    )
)
def test_strange_files_raise_nothing_but_catalogue_errors(content: dict[str, object]) -> None:
    """Whatever a file holds, the answer is a catalogue that can be used or a list of mistakes."""
    mistakes: tuple[str, ...] = ()
    known: tuple[ModelInfo, ...] = ()
    try:
        known = model_infos(catalogue_of(content, Path("/nowhere/models.toml")), Path("/nowhere"))
    except CatalogueError as error:
        mistakes = error.mistakes

    assert bool(mistakes) != bool(known)


@pytest.mark.parametrize(
    "sample_size, blocks, native",
    [
        (64, 4, Size(512, 512)),
        (96, 4, Size(768, 768)),
        (32, 4, Size(256, 256)),
        ([64, 96], 3, Size(384, 256)),
    ],
)
def test_the_native_size_follows_from_the_files(
    tmp_path: Path, sample_size: object, blocks: int, native: Size
) -> None:
    """The UNet's sample size times what the VAE shrinks by; the table of sizes lies round its area."""
    make_model(tmp_path / "m", sample_size=sample_size, blocks=blocks)

    known = info(tmp_path)
    assert known.native == native
    assert native in known.sizes


def test_the_catalogue_overrides_the_files(tmp_path: Path) -> None:
    """What the table says is what people get as defaults."""
    make_model(tmp_path / "m")
    known = info(tmp_path, native=256, title="T", notice="N", steps=4, sampler="dpmpp-2m", subtle=0.2)

    assert (known.native, known.title, known.notice) == (Size(256, 256), "T", "N")
    assert (known.steps, known.sampler, known.subtle) == (4, Sampler.DPMPP_2M, 0.2)


def test_a_model_may_offer_some_samplers_only(tmp_path: Path) -> None:
    """Of a model for few steps the others would make mud; the first is its default. Without a list all are offered."""
    assert (info(tmp_path).sampler, info(tmp_path).samplers) == (Sampler.DDIM, tuple(Sampler))

    few = info(tmp_path, samplers=("lcm", "euler-a"))
    assert (few.sampler, few.samplers) == (Sampler.LCM, (Sampler.LCM, Sampler.EULER_A))
    assert info(tmp_path, samplers=("lcm", "euler-a"), sampler="euler-a").sampler is Sampler.EULER_A


def test_a_default_sampler_that_is_not_offered_is_a_mistake(tmp_path: Path) -> None:
    """Nobody could draw with it."""
    text = """
        [models.few]
        folder = "few"
        samplers = ["lcm", "euler"]
        sampler = "ddim"
        """
    with pytest.raises(CatalogueError, match="sampler must be one of lcm, euler"):
        read_catalogue(written(tmp_path, text))


def test_the_version_changes_with_anything_that_changes_pictures(tmp_path: Path) -> None:
    """Weights and configuration count; reading them again, or files that nobody opens, do not."""
    folder = tmp_path / "m"
    make_model(folder)
    first = info(tmp_path).version
    (folder / "README.md").write_text("more")
    (folder / ".fetched.json").write_text("{}")
    assert info(tmp_path).version == first

    write_weights(folder / "unet" / "diffusion_pytorch_model.safetensors", bytes(11) + b"\1")
    second = info(tmp_path).version
    (folder / "scheduler" / "scheduler_config.json").write_text('{"steps_offset": 0}')

    assert len({first, second, info(tmp_path).version}) == 3


def test_large_weights_are_sampled_at_both_ends(tmp_path: Path) -> None:
    """A change in the first or last MiB is seen; the middle of a large file is not read."""
    folder = tmp_path / "m"
    make_model(folder)
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    data = bytearray(4 << 20)
    versions = []
    for changed in (None, 0, len(data) - 1, len(data) // 2):
        if changed is not None:
            data[changed] ^= 1
        write_weights(weights, bytes(data))
        versions.append(info(tmp_path).version)

    assert len(set(versions[:3])) == 3
    assert versions[2] == versions[3]


def test_latents_are_named_after_the_vae_alone(tmp_path: Path) -> None:
    """Two models with one VAE can read each other's latents; another scaling or another VAE cannot."""
    for name, changes in {"a": {}, "b": {"sample_size": 96}, "c": {"scaling": 0.5}, "d": {}}.items():
        make_model(tmp_path / name, **changes)  # type: ignore[arg-type]  # keyword arguments as data
    write_weights(tmp_path / "d" / "vae" / "diffusion_pytorch_model.safetensors", b"another VAE!")
    entries = {name: ModelEntry(folder=str(tmp_path / name)) for name in "abcd"}
    a, b, c, d = (known.latents for known in model_infos(Catalogue(models=dict(entries)), tmp_path))

    assert a == b
    assert len({a, c, d}) == 3


def test_the_built_in_model_says_what_it_is(tmp_path: Path) -> None:
    """Without a catalogue it is the only one, and all that is to be known of it is known at once."""
    (known,) = model_infos(ONLY_BUILT_IN, tmp_path / "none")

    assert (known.name, known.title, known.native) == (BUILT_IN, "emoji art (built-in)", Size(256, 256))
    assert known.vocabulary is not None
    assert known.version
    assert known.latents
    assert max(max(size.width, size.height) for size in known.sizes) == 512


def test_a_hub_model_counts_only_as_what_was_fetched(tmp_path: Path) -> None:
    """A folder of that name that came from elsewhere is not the model; models.toml decides what is."""
    make_model(tmp_path / "m")
    assert info(tmp_path, folder="", hub="someone/a-model").version == ""

    origin = {"hub": "someone/a-model", "revision": "main", "commit": "abc"}
    (tmp_path / "m" / ".fetched.json").write_text(json.dumps(origin))

    assert info(tmp_path, folder="", hub="someone/a-model").version != ""
    assert info(tmp_path, folder="", hub="someone/a-model", revision="other").version == ""


@pytest.mark.parametrize("damage", ["model_index.json", "unet/config.json", "vae/config.json"])
def test_damaged_folders_still_have_an_info(tmp_path: Path, damage: str) -> None:
    """The bot starts whatever the folders look like; the worker's sentence tells what is wrong."""
    make_model(tmp_path / "m")
    (tmp_path / "m" / damage).write_text("[not JSON")

    assert info(tmp_path).sizes


def test_problems_are_seen_without_loading(tmp_path: Path) -> None:
    """Missing, incomplete and of another family: each has its sentence; a good folder has none."""
    entry = ModelEntry(folder=str(tmp_path / "m"))
    found = [problem_of("m", entry, tmp_path)]
    (tmp_path / "m").mkdir()
    found.append(problem_of("m", entry, tmp_path))
    (tmp_path / "m" / "model_index.json").write_text('{"_class_name": "FluxPipeline"}')
    found.append(problem_of("m", entry, tmp_path))
    make_model(tmp_path / "m")
    found.append(problem_of("m", entry, tmp_path))

    assert [
        word in problem
        for word, problem in zip(("no folder", "incomplete", "FluxPipeline"), found, strict=False)
    ] == [True] * 3
    assert found[3] == ""
    assert folder_of("m", entry, tmp_path / "other") == tmp_path / "m"


TAUGHT = {"title": "emoji art (built-in)", "groups": {"food": ["apple", "beach ball"]}, "words": ["red"]}


def test_a_folder_may_say_what_the_model_was_taught(tmp_path: Path) -> None:
    """Title, groups in their order and the other words; the catalogue's own title goes before the folder's."""
    make_model(tmp_path / "m")
    plain = info(tmp_path)
    (tmp_path / "m" / VOCABULARY).write_text(json.dumps(TAUGHT))
    taught = info(tmp_path)

    assert (plain.title, plain.vocabulary) == ("m", None)
    assert taught.title == "emoji art (built-in)"
    assert taught.vocabulary == Vocabulary(groups=(("food", ("apple", "beach ball")),), words=("red",))
    assert info(tmp_path, title="Mine").title == "Mine"
    assert taught.version != plain.version


def test_the_version_changes_with_the_vocabulary(tmp_path: Path) -> None:
    """Who changes the list changes the model; the same list again does not."""
    make_model(tmp_path / "m")
    versions = []
    for words in (["red"], ["blue"], ["red"]):
        (tmp_path / "m" / VOCABULARY).write_text(json.dumps({**TAUGHT, "words": words}))
        versions.append(info(tmp_path).version)

    assert versions[0] == versions[2] != versions[1]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[secret not JSON",
        b"\xff\xfe secret",
        b'["secret"]',
        b'{"words": ["secret"]}',
        b'{"groups": {"secret": "apple"}}',
        b'{"groups": {"food": [1]}, "title": "secret"}',
        b'{"groups": {}, "title": ["secret"]}',
        b'{"groups": {}, "secret": ' + b"[" * 100_000,
        json.dumps({**TAUGHT, "words": ["secret"] * 40_000}).encode(),
    ],
    ids=["empty", "cut", "binary", "list", "no groups", "text", "number", "title", "deep", "large"],
)
def test_a_damaged_vocabulary_counts_as_none(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The model is used as any other; the log names the file and nothing of what is in it."""
    make_model(tmp_path / "m")
    (tmp_path / "m" / VOCABULARY).write_bytes(content)
    known = info(tmp_path)

    assert (known.title, known.vocabulary) == ("m", None)
    assert known.version
    assert [VOCABULARY in record.getMessage() for record in caplog.records] == [True]
    assert "secret" not in caplog.text


def test_a_model_without_a_vocabulary_is_nothing_to_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The control: most models have none. One of nothing at all is none either."""
    make_model(tmp_path / "m")
    without = info(tmp_path)
    (tmp_path / "m" / VOCABULARY).write_text('{"groups": {"food": [" "], "": ["apple"]}, "words": [""]}')

    assert (without.vocabulary, info(tmp_path).vocabulary) == (None, None)
    assert caplog.records == []


def test_what_a_vocabulary_says_is_cleaned(tmp_path: Path) -> None:
    """A folder may come from a stranger: one line, nothing invisible, no name of a thousand letters."""
    make_model(tmp_path / "m")
    strange = {"title": "a\x1b[31m\nb\u202ec", "groups": {"f\u200bood\n": ["x" * 1000, " apple\t pie "]}}
    (tmp_path / "m" / VOCABULARY).write_text(json.dumps(strange))
    known = info(tmp_path)

    assert known.title == "a[31m bc"
    assert known.vocabulary == Vocabulary(groups=(("food", ("x" * 80, "apple pie")),))


def test_only_the_model_that_is_meant_says_what_it_knows(tmp_path: Path) -> None:
    """A folder of that name that was fetched from elsewhere is not the model."""
    make_model(tmp_path / "m")
    (tmp_path / "m" / VOCABULARY).write_text(json.dumps(TAUGHT))

    assert info(tmp_path).vocabulary is not None
    assert info(tmp_path, folder="", hub="someone/a-model").vocabulary is None
