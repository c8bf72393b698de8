#!/usr/bin/env python3
"""Times embeddings against Python: texts a second of one encoder, all sides on all cores.

Usage: embed.py --model DIR [--texts N] [--rounds N] [--sides NAME,...] [--json FILE]

DIR is a BERT encoder with `last_hidden_state`, such as all-MiniLM-L6-v2. The texts are drawn words, 5 to 120 tokens each, the
same for all. The sides take turns (A B C A B C ...), each in 32-bit floats and with its own defaults for threads; opening and
a first round to warm up are not timed. Medians of the turns are told, in seconds on the wall and of the processor; the latter
suffer less from other work on the machine. Tokenizing and mean pooling are part of every side.

  ours          this crate on ONNX Runtime (the one that `superalign runtime status` tells)
  tract         this crate on its built-in runtime
  int8          this crate on the graph quantised by onnxruntime.quantization (dynamic, per channel, the first layer left out)
  onnxruntime   Python onnxruntime, batches of 32 sorted by length, padded to the longest
  fastembed     fastembed with the same graph, its own batches
  transformers  sentence-transformers, which sorts by length itself, batches of 32

What share of large products' speed a side reaches is told by processor seconds as well, tokenizing included. The peers
get a graph with `last_hidden_state` alone, so that they compute no other output. Exit status 1 if a side's vectors differ
(any cosine below .9999; for int8 their mean below .99).
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from common import ROOT, build, enter_environment

SIDES = ["ours", "onnxruntime", "fastembed", "transformers", "int8", "tract"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side [%(default)s]")
    parser.add_argument("--sides", default=",".join(SIDES), help="which sides [%(default)s]")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    return parser.parse_args()


def draw_texts(tokenizer, count):
    words = sorted(word for word in tokenizer.get_vocab() if word.isascii() and word.isalpha() and len(word) > 2)
    draw = random.Random(1)
    # Two special tokens are added; mostly short texts, as sentences are.
    lengths = [5 + min(115, int(draw.expovariate(1 / 25))) for _ in range(count)]
    return [" ".join(draw.choices(words, k=length - 2)) for length in lengths]


class Ours:
    """The example `throughput`, which embeds when it is told to."""

    def __init__(self, program, folder, texts, graph="auto", runtime="onnxruntime"):
        environment = {**os.environ, "SUPERALIGN_RUNTIME": runtime}
        command = [program, folder, texts, graph]
        self.process = subprocess.Popen(
            command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __call__(self):
        before = self.cpu()
        answer = self.ask("embed")
        return answer["seconds"], self.cpu() - before

    def vectors(self, folder):
        import numpy

        path = folder / "vectors.bin"
        shape = self.ask(f"save {path}")["shape"]
        return numpy.fromfile(path, numpy.float32).reshape(shape)


class Peer:
    """A function of this process."""

    def __init__(self, embed):
        self.embed, self.last = embed, None

    def __call__(self):
        cpu, start = time.process_time(), time.perf_counter()
        self.last = self.embed()
        return time.perf_counter() - start, time.process_time() - cpu

    def vectors(self, _):
        return self.last


def peer_folder(model, work):
    """The model as Python packages want it: one output, 32-bit weights, their files beside it; and an int8 graph."""
    import onnx
    from onnx import numpy_helper
    from onnxruntime.quantization import QuantType, quantize_dynamic

    folder = work / "model"
    folder.mkdir(parents=True, exist_ok=True)
    graph = onnx.load(str(model / "model.onnx"))
    if not (folder / "model_int8.onnx").exists():
        del graph.graph.output[:]
        graph.graph.output.append(onnx.helper.make_tensor_value_info("last_hidden_state", 1, ["batch", "sequence", None]))
        half = {weight.name: weight for weight in graph.graph.initializer if weight.data_type == 10}
        casts = [node for node in graph.graph.node if node.op_type == "Cast" and node.input[0] in half]
        for node in casts:
            values = numpy_helper.to_array(half[node.input[0]]).astype("float32")
            plain = node.input[0].removesuffix(".f16")
            graph.graph.initializer.append(numpy_helper.from_array(values, plain))
            graph.graph.node.remove(node)
            for other in graph.graph.node:
                other.input[:] = [plain if name == node.output[0] else name for name in other.input]
        for weight in half.values():
            graph.graph.initializer.remove(weight)
        onnx.save(graph, str(folder / "model.onnx"))
        # The first layer's products, six with weights and two of attention, cost the most precision for their share.
        products = [node.name for node in graph.graph.node if node.op_type == "MatMul"]
        quantize_dynamic(
            str(folder / "model.onnx"),
            str(folder / "model_int8.onnx"),
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=products[:8],
        )
    for name in ["tokenizer.json", "config.json"]:
        (folder / name).write_bytes((model / name).read_bytes())
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"model_max_length": 512, "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]",
                    "unk_token": "[UNK]", "mask_token": "[MASK]", "tokenizer_class": "BertTokenizer"})
    )
    special = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    return folder


def python_onnxruntime(folder, texts):
    import numpy
    import onnxruntime
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])

    def embed():
        encoded = tokenizer.encode_batch(texts)
        order = sorted(range(len(texts)), key=lambda row: len(encoded[row].ids))
        vectors = numpy.empty((len(texts), 384), numpy.float32)
        for first in range(0, len(order), 32):
            rows = order[first:first + 32]
            longest = max(len(encoded[row].ids) for row in rows)
            ids = numpy.zeros((len(rows), longest), numpy.int64)
            mask = numpy.zeros((len(rows), longest), numpy.int64)
            for at, row in enumerate(rows):
                length = len(encoded[row].ids)
                ids[at, :length] = encoded[row].ids
                mask[at, :length] = 1
            feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
            states = session.run(["last_hidden_state"], feed)[0]
            weights = mask[:, :, None].astype(numpy.float32)
            vectors[rows] = (states * weights).sum(1) / weights.sum(1)
        return vectors

    return embed


def python_fastembed(folder, texts):
    import numpy
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    TextEmbedding.add_custom_model(
        model="local/encoder", pooling=PoolingType.MEAN, normalization=False,
        sources=ModelSource(hf="local/encoder"), dim=384, model_file="model.onnx",
    )
    model = TextEmbedding("local/encoder", specific_model_path=str(folder))
    return lambda: numpy.array(list(model.embed(texts)))


def sentence_transformers(folder, texts, work):
    """The same weights in PyTorch."""
    import onnx
    import torch
    import transformers
    from onnx import numpy_helper
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules

    transformers.logging.set_verbosity_error()
    graph = onnx.load(str(folder / "model.onnx")).graph
    values = {weight.name: torch.tensor(numpy_helper.to_array(weight)) for weight in graph.initializer}
    network = transformers.BertModel(
        transformers.BertConfig.from_json_file(str(folder / "config.json")), add_pooling_layer=False
    )
    state = {name: values[f"m.{name}"] for name in network.state_dict() if f"m.{name}" in values}
    # The exporter transposes the matrices of products and drops their names, but keeps their order.
    products = [name for node in graph.node if node.op_type == "MatMul" for name in node.input if name in values]
    names = ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
             "intermediate.dense", "output.dense"]
    for at, name in enumerate(products):
        state[f"encoder.layer.{at // 6}.{names[at % 6]}.weight"] = values[name].T.contiguous()
    network.load_state_dict(state)
    place = work / "torch"
    network.save_pretrained(place)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        unk_token="[UNK]", mask_token="[MASK]", model_max_length=512,
    )
    tokenizer.save_pretrained(place)
    word = modules.Transformer(str(place), max_seq_length=512)
    model = SentenceTransformer(modules=[word, modules.Pooling(384, pooling_mode="mean")], device="cpu")
    return lambda: model.encode(texts, batch_size=32, show_progress_bar=False)


def operations(lengths, width=384, layers=6, inner=1536):
    """Operations of all products: two per weight and token, and attention's."""
    weights = layers * (4 * width * width + 2 * width * inner)
    return sum(2 * weights * n + 4 * layers * width * n * n for n in lengths)


def large_products(side=1024, count=8):
    """A function that tells which 10^9 operations a processor second does in large products: the peak to compare with."""
    import numpy
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    draw = numpy.random.default_rng(1)
    weights = [numpy_helper.from_array((draw.standard_normal((side, side)) / side**0.5).astype(numpy.float32), f"w{at}")
               for at in range(count)]
    nodes = [helper.make_node("MatMul", [f"x{at}", f"w{at}"], [f"x{at + 1}"]) for at in range(count)]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [side, side]) for name in ["x0", f"x{count}"]]
    graph = helper.make_graph(nodes, "products", ports[:1], ports[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
    start = draw.standard_normal((side, side)).astype(numpy.float32)

    def measure():
        times = []
        for _ in range(4):
            cpu = time.process_time()
            session.run(None, {"x0": start})
            times.append(time.process_time() - cpu)
        return 2 * side**3 * count / statistics.median(times) / 1e9

    measure()
    return measure


def main():
    options = arguments()
    enter_environment("embed")
    program = build("throughput")
    work = ROOT / "target" / "peers" / "embed"
    folder = peer_folder(options.model, work)

    import numpy
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    texts = draw_texts(tokenizer, options.texts)
    lengths = [len(one.ids) for one in tokenizer.encode_batch(texts)]
    path = work / "texts.txt"
    path.write_text("\n".join(texts) + "\n")
    work_of = operations(lengths)
    print(f"{len(texts)} texts, {sum(lengths)} tokens ({min(lengths)} to {max(lengths)}), {work_of / 1e9:.0f} GFLOP")

    makers = {
        "ours": lambda: Ours(program, folder, path),
        "tract": lambda: Ours(program, folder, path, runtime="tract"),
        "int8": lambda: Ours(program, folder, path, graph="int8"),
        "onnxruntime": lambda: Peer(python_onnxruntime(folder, texts)),
        "fastembed": lambda: Peer(python_fastembed(folder, texts)),
        "transformers": lambda: Peer(sentence_transformers(folder, texts, work)),
    }
    names = options.sides.split(",")
    sides = {name: makers[name]() for name in names}
    for side in sides.values():
        side()
    turns, peaks, measure = {name: [] for name in names}, [], large_products()
    for turn in range(options.rounds):
        peaks.append(measure())
        for name in names:
            turns[name].append(sides[name]())
        told = ", ".join(f"{name} {len(texts) / turns[name][-1][0]:.0f}" for name in names)
        print(f"turn {turn + 1}: texts/s: {told}; load {os.getloadavg()[0]:.1f}", flush=True)

    figures, wrong = {}, False
    first = sides[names[0]].vectors(work)
    for name in names:
        wall = statistics.median(seconds for seconds, _ in turns[name])
        cpu = statistics.median(cpu for _, cpu in turns[name])
        ratio = statistics.median(theirs[0] / ours[0] for theirs, ours in zip(turns[name], turns[names[0]]))
        cost = statistics.median(theirs[1] / ours[1] for theirs, ours in zip(turns[name], turns[names[0]]))
        found = sides[name].vectors(work)
        cosines = (first * found).sum(1) / numpy.linalg.norm(first, axis=1) / numpy.linalg.norm(found, axis=1)
        coarse = "int8" in (name, names[0])
        wrong |= bool(cosines.mean() < 0.99 if coarse else cosines.min() < 0.9999)
        figures[name] = {"texts_per_second": len(texts) / wall, "cpu_seconds": cpu, "seconds_to_first": ratio,
                         "cpu_to_first": cost, "cosine_min": float(cosines.min()), "cosine_mean": float(cosines.mean()),
                         "turns": turns[name]}
        print(f"{name:13} {len(texts) / wall:6.0f} texts/s, processor {cpu:6.2f} s; {names[0]} is {ratio:5.2f} times as fast, "
              f"{cost:5.2f} times by processor; cosine {cosines.mean():.5f}, at least {cosines.min():.5f}")
    peak = statistics.median(peaks)
    print(f"large products on one thread: {peak:.0f} GFLOP a processor second")
    for name in set(names) - {"int8"}:
        rate = statistics.median(work_of / cpu / 1e9 for _, cpu in turns[name])
        share = statistics.median(work_of / cpu / 1e9 / peak for (_, cpu), peak in zip(turns[name], peaks))
        print(f"{name:13} {rate:4.0f} GFLOP a processor second, {100 * share:.0f}% of that")
        figures[name] |= {"gflop_per_cpu_second": rate, "share": share}
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    sys.exit(wrong)


main()
