"""The safety checker that was published with Stable Diffusion, from a folder on this machine.

A CLIP picture encoder; what it sees is compared with seventeen concepts that are known by their vectors alone, and with
three more that make it stricter where they are near. See Rando et al., "Red-Teaming the Stable Diffusion Safety Filter"
(arXiv 2210.04610) for what these are (sexual ones all) and how the check is got round.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker, cosine_distance
from transformers import CLIPImageProcessor

from inference.config import EngineConfig
from inference.framing import RGB
from inference.loading import choose_placement, keep_quiet
from inference.safety import Verdict

CATEGORY = "sexual"
MOST_SQUARES = 4

STRICTER = 0.01
"""What is added to every concept's score where one of the three special ones is near."""


class ClipChecker:
    """Implements `inference.safety.SafetyChecker`. The score is that of the nearest concept, above 0 where unsafe.

    model: a StableDiffusionSafetyChecker. processor: a CLIPImageProcessor; it looks at the middle square of what it is
    given, so a picture that is not square is given to it in several.
    """

    def __init__(self, model: Any, processor: Any) -> None:
        self._model = model
        self._processor = processor

    def check(self, pictures: Sequence[RGB]) -> list[Verdict]:
        scores = [max(self.scores(squares(picture))) for picture in pictures]
        return [Verdict(score > 0, CATEGORY, score) for score in scores]

    @torch.inference_mode()
    def scores(self, pictures: Sequence[RGB]) -> list[float]:
        """Of the nearest concept in each picture's middle square: its cosine over its threshold, to three places.

        The same numbers as in `StableDiffusionSafetyChecker.forward`, which tells only whether they are above 0.
        """
        model = self._model
        prepared = self._processor(images=list(pictures), return_tensors="pt")["pixel_values"]
        seen = model.vision_model(prepared.to(model.device))[1]
        vectors = model.visual_projection(seen)
        special = cosine_distance(vectors, model.special_care_embeds) - model.special_care_embeds_weights
        stricter = (special.round(decimals=3) > 0).any(dim=1, keepdim=True) * STRICTER
        concepts = cosine_distance(vectors, model.concept_embeds) - model.concept_embeds_weights + stricter
        nearest: list[float] = concepts.round(decimals=3).max(dim=1).values.tolist()
        return nearest


def open_checker(folder: Path, config: EngineConfig) -> ClipChecker:
    """From the checker's own folder, or from that of a pipeline which has `safety_checker` and `feature_extractor`.

    Offline, safetensors only. In float32 also on a card whose models are in half precision: a number that ran over
    there would be no verdict, and thresholds differ in the third place. Raises what the libraries raise, OSError and
    ValueError mostly.
    """
    model, processor = folder, folder
    if (folder / "safety_checker").is_dir():
        model, processor = folder / "safety_checker", folder / "feature_extractor"
    for needed in (model / "config.json", processor / "preprocessor_config.json"):
        if not needed.is_file():
            raise FileNotFoundError(f"{needed} is missing.")
    keep_quiet()
    opened: Any = StableDiffusionSafetyChecker  # its return type does not know output_loading_info
    checker, info = opened.from_pretrained(
        model, use_safetensors=True, local_files_only=True, output_loading_info=True
    )
    if info["missing_keys"]:
        # The library would fill the gap with random numbers and go on.
        raise ValueError(f"{model} lacks weights: {', '.join(sorted(info['missing_keys'])[:3])}")
    checker = checker.float().to(choose_placement(config).device).eval().requires_grad_(False)
    return ClipChecker(checker, CLIPImageProcessor.from_pretrained(processor, local_files_only=True))


def squares(picture: RGB) -> list[RGB]:
    """At most MOST_SQUARES squares that cover the picture, evenly spread along its longer side."""
    height, width = picture.shape[:2]
    longer = max(height, width)
    side = max(min(height, width), -(-longer // MOST_SQUARES))
    count = -(-longer // side)
    starts = [round(at * (longer - side) / max(1, count - 1)) for at in range(count)]
    # Slenderer than so many squares in a row: the border is repeated.
    wide = np.pad(picture, ((0, max(0, side - height)), (0, max(0, side - width)), (0, 0)), mode="edge")
    if height > width:
        return [wide[start : start + side] for start in starts]
    return [wide[:, start : start + side] for start in starts]
