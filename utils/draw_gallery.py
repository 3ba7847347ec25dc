#!/usr/bin/env python3
# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Draws the pictures of docs/gallery.md: attention maps of examples/block_search.py.

    utils/draw_gallery.py

It trains the example's layers, which takes half a minute, and reads scores and weights off
the compiled attention: with unit vectors for values an output row is the row of weights, and
their logarithms and the log-sum-exp give the scores back.
"""

import argparse
import dataclasses
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

import mta

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "examples"))

import block_search as task  # noqa: E402

_CELL, _GAP, _LABEL, _LINE = 17, 7, 208, 30
_BLUE, _PALE_BLUE, _RED, _GREEN = (40, 84, 160), (110, 150, 215), (178, 40, 50), (20, 110, 70)
# How far below the largest of its row a score is white.
_BEFORE, _AFTER = 5, 12
#: Questions in the picture.
_SEQUENCES = 3


class Picture:
    """An SVG image that grows downwards; lengths are in its units, about pixels."""

    def __init__(self, width: int):
        self.width = width
        self.height = 8
        self._parts: list[str] = []

    def text(self, x: float, y: float, words: str, size: int = 12, anchor: str = "start",
             weight: str = "normal") -> None:
        """Words whose baseline begins, has its middle or ends at a point."""
        self._parts.append(f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" '
                           f'font-weight="{weight}">{escape(words)}</text>')

    def rectangle(self, x: float, y: float, width: float, height: float, fill: str,
                  stroke: str = "none") -> None:
        """A rectangle from its upper left corner."""
        self._parts.append(f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
                           f'fill="{fill}" stroke="{stroke}"/>')

    def write(self, path: Path) -> None:
        """The file."""
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
                f'width="{self.width}" height="{self.height}" font-family="sans-serif">')
        ground = f'<rect width="{self.width}" height="{self.height}" fill="white"/>'
        path.write_text("\n".join([head, ground, *self._parts, "</svg>", ""]), encoding="utf-8")


def _shade(part: float, colour: tuple[int, int, int]) -> str:
    """White up to 0, the colour from 1 on, and between them a mixture."""
    part = min(max(part, 0.0), 1.0)
    return "#" + "".join(f"{round(255 + part * (c - 255)):02x}" for c in colour)


def rows_of(layer: task.Layer, letters: np.ndarray, convolved: bool = True):
    """Scores and weights of one sequence's question, rows×TOKENS, of the compiled attention.

    Without `convolved` the attention is the layer's before its convolution, and has a row for
    every letter of the question; with it, the last one. A score that is not allowed is −∞.
    """
    fields = {} if convolved else {"pre_conv": None, "query_halo": 0}
    attention = dataclasses.replace(layer.attention, value_dim=task.TOKENS, log_sum_exp=True,
                                    **fields)
    q, k, _ = layer.operands(letters[None])
    weights = {name: layer.weights[name] for name in attention.weight_shapes}
    output, total = mta.compile(attention, target="cpu")(q, k, np.eye(task.TOKENS)[None, None],
                                                         **weights)
    with np.errstate(divide="ignore"):
        return np.log(output[0, 0]) + total[0, 0, :, None], output[0, 0]


def _column(token: int) -> float:
    """The left edge of a token; blocks have gaps between them."""
    return _LABEL + token * _CELL + token // task.BLOCK * _GAP


def _strip(picture: Picture, label: str, values: np.ndarray, colour, least: float,
           most: float) -> None:
    """A row of numbers, white from the least down, grey where there is none."""
    picture.text(_LABEL - 10, picture.height + 13, label, anchor="end")
    for token, value in enumerate(values):
        fill = _shade((value - least) / (most - least), colour) if np.isfinite(value) else "#dddddd"
        picture.rectangle(_column(token), picture.height, _CELL - 1, _CELL, fill, "#cccccc")
    picture.height += _CELL + 7


def _letters(picture: Picture, letters: np.ndarray, block: int) -> None:
    for token, letter in enumerate(letters):
        asked = token // task.BLOCK in (block, task.BLOCKS)
        picture.text(_column(token) + _CELL / 2, picture.height + 13, chr(ord("a") + letter),
                     size=13, anchor="middle", weight="bold" if asked else "normal")
    picture.height += _LINE - 8


def draw_maps(convolved: task.Layer, plain: task.Layer, sequences: np.ndarray,
              blocks: np.ndarray) -> Picture:
    """Sequences, their scores before and after the convolution, and the weights."""
    picture = Picture(round(_column(task.TOKENS)) + 12)
    for letters, block in zip(sequences, blocks):
        top = picture.height
        _draw_sequence(picture, convolved, plain, letters, block)
        left = _column(block * task.BLOCK)
        right = _column(block * task.BLOCK + task.BLOCK - 1) + _CELL
        picture.rectangle(left - 3, top - 2, right - left + 5, picture.height - top, "none", "black")
        picture.height += 22
    picture.height -= 14
    return picture


def _draw_sequence(picture: Picture, convolved: task.Layer, plain: task.Layer,
                   letters: np.ndarray, block: int) -> None:
    before, _ = rows_of(convolved, letters, convolved=False)
    after, weights = rows_of(convolved, letters)
    _, weights_without = rows_of(plain, letters)
    _letters(picture, letters, block)
    for row, letter in zip(before, letters[-task.QUESTION:]):
        label = f"scores of “{chr(ord('a') + letter)}”"
        _strip(picture, label, row, _BLUE, row.max() - _BEFORE, row.max())
    _strip(picture, "after the convolution", after[0], _BLUE, after.max() - _AFTER, after.max())
    _strip(picture, "weights", weights[0], _GREEN, 0, 1)
    _strip(picture, "weights without convolution", weights_without[0], _GREEN, 0, 1)


def draw_kernel(layer: task.Layer) -> Picture:
    """The weights of the convolution, with numbers."""
    kernel = layer.parameters["pre_conv"][0]
    size = 46
    picture = Picture(_LABEL + kernel.shape[1] * size + 12)
    for b in range(kernel.shape[1]):
        distance = b - (task.BLOCK - 1)
        picture.text(_LABEL + (b + 0.5) * size, 20, f"{distance:+d}" if distance else "key j",
                     anchor="middle")
    picture.height = _LINE
    for row, label in zip(kernel, ("query before it", "query i")):
        picture.text(_LABEL - 10, picture.height + 22, label, anchor="end")
        for b, value in enumerate(row):
            fill = _shade(abs(value) / np.abs(kernel).max(), _PALE_BLUE if value > 0 else _RED)
            picture.rectangle(_LABEL + b * size, picture.height, size - 2, 32, fill, "#cccccc")
            picture.text(_LABEL + (b + 0.5) * size - 1, picture.height + 21, f"{value:.2f}",
                         anchor="middle")
        picture.height += 36
    return picture


def main() -> None:
    """Trains, draws and writes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=600, help="of the training")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "images")
    options = parser.parse_args()
    convolved, plain = (task.train(there, options.steps) for there in (True, False))
    sequences, blocks = task.draw_questions(np.random.default_rng(1), _SEQUENCES)
    options.output.mkdir(parents=True, exist_ok=True)
    maps = draw_maps(convolved, plain, sequences, blocks)
    maps.write(options.output / "block-search.svg")
    draw_kernel(convolved).write(options.output / "block-search-kernel.svg")


if __name__ == "__main__":
    main()
