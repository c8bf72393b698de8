"""Writes the heads of the tests and what they answer: `reward`, `cross` and heads.json.

    python heads.py      # needs numpy, onnx, torch and transformers; writes beside itself

`reward` is a reward model on the ladder's smallest rung: its graph with a linear head at the last token that is no
padding, which the tests run with the rung's own weights and tokenizer. Its scores are those of transformers'
LlamaForSequenceClassification with the same weights, one text at a time. `cross` reads pairs: two classes of the sum of
word and segment vectors, worked out in numpy.
"""

import json
import pathlib

import numpy as np
import onnx
import torch
import transformers
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
RUNG = HERE / "../../../../models/ladder/rung-0"
TEMPLATE = "{{ bos_token }}{% for m in messages %}{{ ' ask ' if m.role == 'user' else ' say ' }}{{ m.content }}{% endfor %}"
TEXTS = ["ask biba has many tilu", "ask", "say 3 4", "biba is zivi and tilu is not zivi . ask tilu say right .", "vipi is"]
CHATS = [("biba has many tilu", "right ."), ("biba has many tilu", "wrong ."), ("is tilu zivi", "tilu is zivi"),
         ("vipi", "do not"), ("vipi", "3 4 5")]
WORDS = "[PAD] [UNK] [CLS] [SEP] the river froze early this year is it true ? yes no".split()


def weight(name, values):
    return numpy_helper.from_array(np.asarray(values), name)


def reward():
    """The graph of the rung with the head, and the head."""
    model = onnx.load(RUNG / "model.onnx", load_external_data=False)
    graph = model.graph
    states = max((port.name for port in graph.output if port.name.startswith("hidden_states.")))
    width = next(p for p in graph.output if p.name == states).type.tensor_type.shape.dim[2].dim_value
    head = np.random.default_rng(7).normal(size=(width, 1)).astype(np.float32)
    nodes = [
        helper.make_node("Equal", ["input_ids", "head.pad"], ["head.is_pad"]),
        helper.make_node("Not", ["head.is_pad"], ["head.is_real"]),
        helper.make_node("Cast", ["head.is_real"], ["head.real"], to=TensorProto.INT64),
        helper.make_node("Shape", ["input_ids"], ["head.shape"]),
        helper.make_node("Gather", ["head.shape", "head.one"], ["head.length"], axis=0),
        # Positions from 1, so that even the first real one is above padding.
        helper.make_node("Range", ["head.zero", "head.length", "head.one"], ["head.from_zero"]),
        helper.make_node("Add", ["head.from_zero", "head.one"], ["head.places"]),
        helper.make_node("Mul", ["head.places", "head.real"], ["head.ranked"]),
        helper.make_node("ReduceMax", ["head.ranked"], ["head.highest"], axes=[1], keepdims=1),
        helper.make_node("Equal", ["head.ranked", "head.highest"], ["head.is_last"]),
        helper.make_node("Cast", ["head.is_last"], ["head.share"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["head.share", "head.two"], ["head.column"]),
        helper.make_node("Mul", [states, "head.column"], ["head.picked"]),
        helper.make_node("ReduceSum", ["head.picked", "head.first"], ["head.state"], keepdims=0),
        helper.make_node("MatMul", ["head.state", "head.weight"], ["logits"]),
    ]
    weights = [
        weight("head.pad", np.int64(0)), weight("head.zero", np.int64(0)), weight("head.one", np.int64(1)),
        weight("head.two", np.array([2])), weight("head.first", np.array([1])), weight("head.weight", head),
    ]
    for node in graph.node:
        for values in (node.input, node.output):
            for at, value in enumerate(values):
                values[at] = "lm.logits" if value == "logits" else value
    scores = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch_size", 1])
    made = helper.make_graph([*graph.node, *nodes], "reward", graph.input, [scores], [*graph.initializer, *weights])
    file = helper.make_model(made, opset_imports=model.opset_import, ir_version=model.ir_version)
    folder = HERE / "reward"
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(file.SerializeToString())
    config = json.loads((RUNG / "config.json").read_text())
    config |= {"architectures": ["LlamaForSequenceClassification"], "id2label": {"0": "reward"}, "pad_token_id": 0}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return head


def rewards(head):
    """Scores of texts and conversations by transformers."""
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(RUNG / "tokenizer.json"), bos_token="<bos>", pad_token="<pad>"
    )
    tokenizer.chat_template = TEMPLATE
    model = transformers.LlamaForSequenceClassification.from_pretrained(
        RUNG, num_labels=1, pad_token_id=0, dtype=torch.float32
    ).eval()
    model.score.weight.data = torch.tensor(head.T)

    def score(ids):
        with torch.inference_mode():
            return model(input_ids=torch.tensor([ids])).logits.item()

    chats = []
    for prompt, response in CHATS:
        messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
        text = tokenizer.apply_chat_template(messages, tokenize=False)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        chats.append({"prompt": prompt, "response": response, "text": text, "score": score(ids)})
    texts = [{"text": text, "score": score(tokenizer(text)["input_ids"])} for text in TEXTS]
    return {"texts": texts, "chats": chats}


def cross():
    rng = np.random.default_rng(8)
    words = rng.normal(size=(len(WORDS), 6)).astype(np.float32)
    segments = rng.normal(size=(2, 6)).astype(np.float32)
    head = rng.normal(size=(6, 2)).astype(np.float32)
    both = ["batch_size", "sequence_length"]
    ports = [helper.make_tensor_value_info(name, TensorProto.INT64, both)
             for name in ("input_ids", "attention_mask", "token_type_ids")]
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["words", "input_ids"], ["word"]),
            helper.make_node("Gather", ["segments", "token_type_ids"], ["segment"]),
            helper.make_node("Add", ["word", "segment"], ["sum"]),
            helper.make_node("Tanh", ["sum"], ["state"]),
            helper.make_node("Cast", ["attention_mask"], ["real"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["real", "last"], ["column"]),
            helper.make_node("Mul", ["state", "column"], ["kept"]),
            helper.make_node("ReduceSum", ["kept", "middle"], ["pooled"], keepdims=0),
            helper.make_node("MatMul", ["pooled", "head"], ["logits"]),
        ],
        "cross", ports, [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch_size", 2])],
        [weight("words", words), weight("segments", segments), weight("head", head),
         weight("last", np.array([2])), weight("middle", np.array([1]))],
    )
    file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder = HERE / "cross"
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(file.SerializeToString())
    config = {"architectures": ["BertForSequenceClassification"], "model_type": "bert", "hidden_size": 6,
              "pad_token_id": 0, "max_position_embeddings": 12, "id2label": {"0": "other", "1": "same"}}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    special = [{"id": i, "content": WORDS[i], "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": False, "special": True} for i in range(4)]

    def mark(name, kind):
        return {"SpecialToken": {"id": name, "type_id": kind}}

    def text(name, kind):
        return {"Sequence": {"id": name, "type_id": kind}}

    single = [mark("[CLS]", 0), text("A", 0), mark("[SEP]", 0)]
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing", "single": single, "pair": [*single, text("B", 1), mark("[SEP]", 1)],
            "special_tokens": {n: {"id": n, "ids": [WORDS.index(n)], "tokens": [n]} for n in ("[CLS]", "[SEP]")},
        },
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": {w: i for i, w in enumerate(WORDS)}, "unk_token": "[UNK]"},
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, indent=1) + "\n")

    def ids(text):
        return [WORDS.index(word) if word in WORDS else 1 for word in text.split()]

    found = []
    for first, second in [("the river froze", "it froze early"), ("is it true ?", "yes"), ("is it true ?", "no"),
                          ("this year", "the river froze early this year"), ("unheard", "of")]:
        front, back = [2, *ids(first), 3], [*ids(second), 3]
        states = np.tanh(words[front + back].astype(np.float64) + segments[[0] * len(front) + [1] * len(back)])
        scores = states.sum(0) @ head
        p = np.exp(scores - scores.max())
        found.append({"first": first, "second": second, "scores": scores.tolist(), "probabilities": (p / p.sum()).tolist()})
    return found


def main():
    answers = {"reward": rewards(reward()), "cross": cross()}
    (HERE / "heads.json").write_text(json.dumps(answers, indent=1) + "\n")


main()
