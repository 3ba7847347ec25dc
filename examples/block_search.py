# Part of the MTA compiler, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Which block holds all letters of a question? The toy task of arXiv 2504.00927, in one layer.

    .venv/bin/python examples/block_search.py

A sequence is 8 blocks of 5 different letters and then 2 letters of one of the blocks, the
question. The answer is the first letter of that block. A score compares one query with one
key, so that plain attention sees one letter of the question at a time. A convolution over 2
queries and 9 keys adds up the scores of both letters over a whole block.

The layer is one head on learned embeddings of letters and places, and is trained in NumPy with
`mta.reference.gradients`. The compiled attention answers what is asked then.

RUN: %python %s --steps 40 --questions 50 | FileCheck %s
CHECK: conv 2x9 {{.*}} softmax: {{[0-9.]+}} % of 50 questions
CHECK-NEXT: softmax: {{[0-9.]+}} % of 50 questions
REQUIRES: python
"""

import argparse
from dataclasses import dataclass, field

import numpy as np

import mta

LETTERS = 26
#: Letters of a block, blocks of a sequence, letters of a question, and numbers of a letter.
BLOCK, BLOCKS, QUESTION, SIZE = 5, 8, 2, 32
TOKENS = BLOCK * BLOCKS + QUESTION
#: The place of a token in its block, or in the question.
PLACES = np.concatenate([np.tile(np.arange(BLOCK), BLOCKS), BLOCK + np.arange(QUESTION)])


def draw_questions(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences count×TOKENS of letters 0 to 25, and the blocks that are asked for."""
    letters = np.empty((count, TOKENS), int)
    blocks = random.integers(BLOCKS, size=count)
    for n in range(count):
        matching = 0
        # One block alone has all letters of the question.
        while matching != 1:
            context = np.array([random.permutation(LETTERS)[:BLOCK] for _ in range(BLOCKS)])
            question = random.permutation(context[blocks[n]])[:QUESTION]
            matching = sum(np.isin(question, block).all() for block in context)
        letters[n] = [*context.ravel(), *question]
    return letters, blocks


def answers_of(letters: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """The first letters of the blocks."""
    return letters[np.arange(len(letters)), blocks * BLOCK]


@dataclass
class Layer:
    """An attention with learned embeddings, and its parameters by name.

    query_letter, key_letter and value_letter are LETTERS×SIZE, query_place and key_place
    (BLOCK + QUESTION)×SIZE, answer is SIZE×LETTERS, and pre_conv is a weight of the attention.
    """

    convolution: bool
    parameters: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def attention(self) -> mta.Attention:
        """The last row alone; with a convolution it also reads the query before it."""
        window = (QUESTION, 2 * BLOCK - 1) if self.convolution else None
        return mta.Attention(heads=1, head_dim=SIZE, pre_conv=window, query_halo=QUESTION - 1,
                             dtype="f64")

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """The parameters that are weights of the attention."""
        return {name: self.parameters[name] for name in self.attention.weight_shapes}

    def initialise(self, random: np.random.Generator) -> None:
        """Small random numbers, and around the identity for the convolution."""
        places = BLOCK + QUESTION
        shapes = {"query_letter": (LETTERS, SIZE), "key_letter": (LETTERS, SIZE),
                  "value_letter": (LETTERS, SIZE), "query_place": (places, SIZE),
                  "key_place": (places, SIZE), "answer": (SIZE, LETTERS)}
        self.parameters = {name: 0.2 * random.standard_normal(shape)
                           for name, shape in shapes.items()}
        if self.convolution:
            kernel = 0.05 * random.standard_normal(self.attention.weight_shapes["pre_conv"])
            kernel[:, -1, BLOCK - 1] += 1
            self.parameters["pre_conv"] = kernel

    def operands(self, letters: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """q of the question, k and v of all tokens: count×1×rows×SIZE."""
        p = self.parameters
        q = p["query_letter"][letters] + p["query_place"][PLACES]
        k = p["key_letter"][letters] + p["key_place"][PLACES]
        return q[:, None, -QUESTION:], k[:, None], p["value_letter"][letters][:, None]

    def gradients(self, letters: np.ndarray, answers: np.ndarray) -> dict[str, np.ndarray]:
        """Those of the mean cross entropy, by parameter."""
        p, operands = self.parameters, self.operands(letters)
        rows = mta.reference.forward(self.attention, *operands, self.weights).output[:, 0, 0]
        logits = rows @ p["answer"]
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        d_logits = (chances - np.eye(LETTERS)[answers]) / len(letters)
        d_rows = (d_logits @ p["answer"].T)[:, None, None]
        inner = mta.reference.gradients(self.attention, *operands, self.weights, d_rows)
        result = {name: np.zeros_like(value) for name, value in p.items()}
        result["answer"] = rows.T @ d_logits
        asked = slice(-QUESTION, None)
        np.add.at(result["query_letter"], letters[:, asked], inner["q"][:, 0])
        np.add.at(result["query_place"], PLACES[asked], inner["q"].sum(axis=(0, 1)))
        np.add.at(result["key_letter"], letters, inner["k"][:, 0])
        np.add.at(result["key_place"], PLACES, inner["k"].sum(axis=(0, 1)))
        np.add.at(result["value_letter"], letters, inner["v"][:, 0])
        return {**result, **{name: inner[name] for name in self.weights}}


def train(convolution: bool, steps: int, seed: int = 0) -> Layer:
    """A layer after `steps` of Adam on 64 new questions each."""
    random = np.random.default_rng(seed)
    layer = Layer(convolution)
    layer.initialise(random)
    mean = {name: np.zeros_like(value) for name, value in layer.parameters.items()}
    square = {name: np.zeros_like(value) for name, value in layer.parameters.items()}
    for step in range(1, steps + 1):
        rate = 0.02 * min(1.0, 2.02 - 2 * step / steps)
        letters, blocks = draw_questions(random, 64)
        gradients = layer.gradients(letters, answers_of(letters, blocks))
        for name, gradient in gradients.items():
            mean[name] += 0.1 * (gradient - mean[name])
            square[name] += 0.02 * (gradient**2 - square[name])
            size = np.sqrt(square[name] / (1 - 0.98**step)) + 1e-8
            layer.parameters[name] -= rate * mean[name] / (1 - 0.9**step) / size
    return layer


def accuracy(layer: Layer, letters: np.ndarray, blocks: np.ndarray) -> float:
    """The part of the questions that the compiled attention leads to the right answer."""
    run = mta.compile(layer.attention, target="cpu", queries=QUESTION)
    rows = run(*layer.operands(letters), **layer.weights)[:, 0, 0]
    found = (rows @ layer.parameters["answer"]).argmax(axis=1)
    return float((found == answers_of(letters, blocks)).mean())


def main() -> None:
    """Trains a layer with a convolution and one without, and asks both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=600, help="of the training")
    parser.add_argument("--questions", type=int, default=1000, help="that are asked then")
    options = parser.parse_args()
    letters, blocks = draw_questions(np.random.default_rng(1), options.questions)
    for convolution in (True, False):
        layer = train(convolution, options.steps)
        right = 100 * accuracy(layer, letters, blocks)
        print(f"{layer.attention.describe()}: {right:.1f} % of {len(letters)} questions")


if __name__ == "__main__":
    main()
