"""Random changes of images."""

import math

import torch
from torchvision.transforms import v2

from pipeline.learning import augmentation
from pipeline.learning.augmentation import Augmentation


def test_affine_of_nothing_is_the_image_and_moves_are_those_of_torchvision() -> None:
    images = torch.randint(256, (4, 1, 28, 28), dtype=torch.uint8)
    same = augmentation.random_affine(images, rotation=0.0, scale=0.0, translation=0.0)
    torch.testing.assert_close(same, images / 255, atol=1e-5, rtol=0)
    torch.manual_seed(0)
    turned = augmentation.random_affine(images.float() / 255, 0.3, 0.0, 0.0)
    torch.manual_seed(0)
    angles = (torch.rand(4, 4)[0] * 2 - 1) * 0.3
    for image, angle, ours in zip(images / 255, angles, turned, strict=True):
        theirs = v2.functional.rotate(
            image, math.degrees(float(angle)), interpolation=v2.InterpolationMode.BILINEAR
        )
        torch.testing.assert_close(ours, theirs, atol=2e-3, rtol=0)


def test_affine_stays_within_its_bounds() -> None:
    torch.manual_seed(0)
    dot = torch.zeros(500, 1, 29, 29)
    dot[:, :, 14, 14] = 1
    moved = augmentation.random_affine(dot, 0.0, 0.0, translation=3.0)
    places = moved.flatten(1).argmax(1)
    offsets = torch.stack([places // 29, places % 29]) - 14
    assert offsets.abs().max() == 3
    assert moved.min() >= 0


def test_what_is_only_moved_is_not_blurred() -> None:
    torch.manual_seed(0)
    images = torch.randint(0, 256, (200, 3, 9, 9), dtype=torch.uint8)
    moved = augmentation.random_affine(images, 0.0, 0.0, translation=2.0)
    middle = images[:, :, 4, 4, None].float() / 255  # somewhere, and as it was
    near = moved[:, :, 2:7, 2:7].flatten(2)
    assert ((near - middle).abs().amin(2) < 1e-4).all()


def test_eight_views_are_all_there_are() -> None:
    image = torch.arange(9).reshape(1, 1, 3, 3)
    views = {tuple(augmentation.turned(image, view).flatten().tolist()) for view in range(8)}
    assert len(views) == 8
    torch.manual_seed(0)
    drawn = {tuple(augmentation.random_turn(image).flatten().tolist()) for _ in range(200)}
    assert drawn == views


def test_no_augmentation_gives_the_images_as_they_are() -> None:
    images = torch.randint(256, (4, 1, 28, 28), dtype=torch.uint8)
    assert Augmentation(rotation=0.0, scale=0.0, translation=0.0)(images) is images
    changed = Augmentation(rotation=0.1, scale=0.0, translation=0.0)(images)
    assert changed.dtype == torch.float32
    assert not torch.equal(changed, images / 255)


def test_about_half_of_the_images_are_mirrored() -> None:
    torch.manual_seed(0)
    images = torch.randint(256, (200, 1, 4, 4), dtype=torch.uint8)
    shown = Augmentation(rotation=0.0, scale=0.0, translation=0.0, mirror=True)(images)
    as_is, mirrored = ((shown == each).flatten(1).all(1) for each in (images, images.flip(3)))
    assert (as_is ^ mirrored).all()
    assert 70 < int(mirrored.sum()) < 130
