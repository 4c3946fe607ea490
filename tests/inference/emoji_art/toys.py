"""Three concepts drawn here, so that no test needs the art of others."""

from __future__ import annotations

import torch
from PIL import Image, ImageDraw

from inference.emoji_art.art import Sprites, fit, make_set
from inference.emoji_art.concepts import Concept

SETS = ("flat", "cartoon")


def toy_concepts() -> tuple[Concept, ...]:
    return (
        Concept("ball", "b1", "activities", ("red ball",), stands="anywhere", size="small", core=True),
        Concept("box", "b2", "objects", ("crate",), size="medium", core=True),
        Concept("tree", "b3", "animals and nature", size="large", core=True),
    )


def toy_sprites() -> Sprites:
    """A red ball, a blue box and a green triangle: plain in one set, with a dark outline in the other."""
    concepts = toy_concepts()
    drawings = [
        [toy_drawing(concept.name, outlined=outlined) for outlined in (False, True)] for concept in concepts
    ]
    pixels = torch.stack([torch.stack([to_pixels(fit(drawing)) for drawing in row]) for row in drawings])
    return make_set(pixels, torch.ones((len(concepts), len(SETS)), dtype=torch.bool), concepts, SETS)


def toy_drawing(name: str, *, outlined: bool = False) -> Image.Image:
    """RGBA, 128 px, the object somewhere in it."""
    image = Image.new("RGBA", (128, 128))
    draw = ImageDraw.Draw(image)
    outline = (40, 40, 40, 255) if outlined else None
    if name == "ball":
        draw.ellipse((30, 30, 90, 90), fill=(230, 40, 40, 255), outline=outline, width=3)
    elif name == "box":
        draw.rectangle((20, 40, 100, 100), fill=(25, 110, 215, 255), outline=outline, width=3)
    else:
        draw.polygon([(64, 10), (110, 120), (18, 120)], fill=(50, 160, 70, 255), outline=outline, width=3)
    return image


def to_pixels(image: Image.Image) -> torch.Tensor:
    """uint8 (4, height, width)."""
    flat = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return flat.reshape(image.height, image.width, 4).permute(2, 0, 1)
