# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The pictures of docs/gallery.md are what utils/draw_gallery.py draws."""

import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest

from documents import REPOSITORY, tool_environment

_IMAGES = REPOSITORY / "docs" / "images"
_MOST_BYTES = 150_000
_NUMBERS = "block-search-kernel.svg"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The pictures after two steps of training instead of hundreds."""
    folder = tmp_path_factory.mktemp("gallery")
    subprocess.run([sys.executable, REPOSITORY / "utils" / "draw_gallery.py", "--steps", "2",
                    "--output", folder], check=True, env=tool_environment(), timeout=300)
    return folder


def _shapes(path) -> list[tuple]:
    """What does not depend on the training: places, sizes, and words that are no numbers."""
    shapes = []
    for element in xml.parse(path).getroot():
        attributes = {name: value for name, value in element.attrib.items() if name != "fill"}
        words = element.text if path.name != _NUMBERS else None
        shapes.append((element.tag, attributes, words))
    return shapes


def test_committed_pictures_are_of_this_script(drawn):
    names = sorted(path.name for path in drawn.iterdir())
    assert names == sorted(path.name for path in _IMAGES.iterdir())
    for name in names:
        assert _shapes(_IMAGES / name) == _shapes(drawn / name), "run utils/draw_gallery.py"
        assert (_IMAGES / name).stat().st_size < _MOST_BYTES


def test_training_changes_the_picture(drawn):
    name = "block-search.svg"
    assert (_IMAGES / name).read_bytes() != (drawn / name).read_bytes()
