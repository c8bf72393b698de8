"""Writes the tiny models of the tests, and what numpy says they answer.

    python make.py        # needs numpy and onnx; writes beside itself

`decoder` is a causal language model in the shape of our ladder: two layers of attention, a final norm, a tied head;
weights in half precision, outside the graph, in a safetensors file. `encoder` wants token_type_ids and gives only
last_hidden_state. `merged` asks for a cache and for a switch that says whether to use it; `seeing` is disturbed by padding;
`classifier` gives three scores a text.
"""

import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper

HERE = pathlib.Path(__file__).parent
WORDS = "[PAD] [UNK] [BOS] [SEP] the river froze early this year is it true ? yes no".split()
WIDTH, LAYERS = 8, 2


def tokenizer(post):
    special = [
        {"id": i, "content": WORDS[i], "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True}
        for i in range(4)
    ]
    return {
        "version": "1.0",
        # Written down as some exports have it; whoever reads the file must not use either.
        "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 12}, "direction": "Left", "pad_to_multiple_of": None, "pad_id": 0,
                    "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": post,
            "pair": post,
            "special_tokens": {
                name: {"id": name, "ids": [WORDS.index(name)], "tokens": [name]} for name in ("[BOS]", "[SEP]")
            },
        },
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": {w: i for i, w in enumerate(WORDS)}, "unk_token": "[UNK]"},
    }


def piece(name):
    return {"Sequence": {"id": "A", "type_id": 0}} if name == "A" else {"SpecialToken": {"id": name, "type_id": 0}}


def port(name, element, *shape):
    return helper.make_tensor_value_info(name, element, list(shape))


def write(folder, graph, post, config):
    folder.mkdir(exist_ok=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.producer_name = "superalign test"
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(folder / "model.onnx"))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer([piece(p) for p in post]), indent=1) + "\n")
    (folder / "config.json").write_text(json.dumps(config) + "\n")


def safetensors(path, tensors):
    header, blob = {}, b""
    for name, array in tensors.items():
        data = array.tobytes()
        header[name] = {"dtype": "F16", "shape": list(array.shape), "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + blob)
    return {name: 8 + len(text) + entry["data_offsets"][0] for name, entry in header.items()}


def outside(name, array, offset):
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT16, dims=array.shape)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "model.safetensors"), ("offset", offset), ("length", array.nbytes)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def decoder():
    rng = np.random.default_rng(7)
    weights = {"embed": rng.normal(size=(len(WORDS), WIDTH))}
    for layer in range(LAYERS):
        for part in "qkvo":
            weights[f"{part}{layer}"] = rng.normal(size=(WIDTH, WIDTH)) / np.sqrt(WIDTH)
    weights["norm"] = 1 + rng.normal(size=WIDTH) / 4
    weights = {name: array.astype(np.float16) for name, array in weights.items()}
    folder = HERE / "decoder"
    folder.mkdir(exist_ok=True)
    offsets = safetensors(folder / "model.safetensors", weights)
    nodes, constants = [], []

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def constant(name, value, dtype):
        constants.append(onnx.numpy_helper.from_array(np.array(value, dtype), name))
        return name

    for name in weights:
        node("Cast", [name], f"{name}.f32", to=TensorProto.FLOAT)
    node("Gather", ["embed.f32", "input_ids"], "hidden_states.0")
    # A position sees itself and earlier ones that are not padding.
    node("Shape", ["input_ids"], "shape", start=1)
    node("Squeeze", ["shape"], "length")
    node("Range", [constant("zero", 0, np.int64), "length", constant("one", 1, np.int64)], "range")
    node("Unsqueeze", ["range", constant("axis1", [1], np.int64)], "query")
    # Not `query >= range`: tract takes a comparison of two ranges for a split of one axis.
    node("Sub", ["range", "query"], "ahead")
    node("LessOrEqual", ["ahead", "zero"], "causal")
    node("Cast", ["attention_mask"], "real", to=TensorProto.BOOL)
    node("Unsqueeze", ["real", "axis1"], "keys")
    node("And", ["causal", "keys"], "seen")
    state = "hidden_states.0"
    for layer in range(LAYERS):
        q, k, v = (node("MatMul", [state, f"{part}{layer}.f32"], f"{part}.{layer}") for part in "qkv")
        turned = node("Transpose", [k], f"kt.{layer}", perm=[0, 2, 1])
        scores = node("MatMul", [q, turned], f"scores.{layer}")
        masked = node("Where", ["seen", scores, constant(f"low{layer}", -1e9, np.float32)], f"masked.{layer}")
        shares = node("Softmax", [masked], f"shares.{layer}", axis=-1)
        mixed = node("MatMul", [shares, v], f"mixed.{layer}")
        out = node("MatMul", [mixed, f"o{layer}.f32"], f"out.{layer}")
        last = layer == LAYERS - 1
        state = node("Add", [state, out], "residual" if last else f"hidden_states.{layer + 1}")
    node("Mul", [state, state], "square")
    node("ReduceMean", ["square"], "mean", axes=[-1], keepdims=1)
    node("Add", ["mean", constant("epsilon", 1e-5, np.float32)], "shifted")
    node("Sqrt", ["shifted"], "root")
    node("Div", [state, "root"], "unit")
    node("Mul", ["unit", "norm.f32"], f"hidden_states.{LAYERS}")
    node("Transpose", ["embed.f32"], "head", perm=[1, 0])
    node("MatMul", [f"hidden_states.{LAYERS}", "head"], "logits")
    both = ("batch", "sequence")
    graph = helper.make_graph(
        nodes,
        "decoder",
        [port("input_ids", TensorProto.INT64, *both), port("attention_mask", TensorProto.INT64, *both)],
        [port("logits", TensorProto.FLOAT, *both, len(WORDS))]
        + [port(f"hidden_states.{n}", TensorProto.FLOAT, *both, WIDTH) for n in range(LAYERS + 1)],
        [outside(name, array, offsets[name]) for name, array in weights.items()] + constants,
    )
    config = {"architectures": ["LlamaForCausalLM"], "hidden_size": WIDTH, "num_hidden_layers": LAYERS,
              "max_position_embeddings": 16, "vocab_size": len(WORDS)}
    write(folder, graph, ["[BOS]", "A"], config)
    return {name: array.astype(np.float64) for name, array in weights.items()}


def decoder_states(w, ids):
    states = [w["embed"][ids]]
    causal = np.tril(np.ones((len(ids), len(ids)), bool))
    for layer in range(LAYERS):
        x = states[-1]
        scores = np.where(causal, (x @ w[f"q{layer}"]) @ (x @ w[f"k{layer}"]).T, -np.inf)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        states.append(x + shares @ (x @ w[f"v{layer}"]) @ w[f"o{layer}"])
    x = states[-1]
    states[-1] = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * w["norm"]
    logits = states[-1] @ w["embed"].T
    return states, logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def encoder():
    rng = np.random.default_rng(8)
    words, kinds = (rng.normal(size=(n, WIDTH)).astype(np.float32) for n in (len(WORDS), 2))
    both = ("batch", "sequence")
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["words", "input_ids"], ["word"]),
            helper.make_node("Gather", ["kinds", "token_type_ids"], ["kind"]),
            helper.make_node("Add", ["word", "kind"], ["last_hidden_state"]),
        ],
        "encoder",
        [port(name, TensorProto.INT64, *both) for name in ("input_ids", "attention_mask", "token_type_ids")],
        [port("last_hidden_state", TensorProto.FLOAT, *both, WIDTH)],
        [onnx.numpy_helper.from_array(words, "words"), onnx.numpy_helper.from_array(kinds, "kinds")],
    )
    write(HERE / "encoder", graph, ["[BOS]", "A", "[SEP]"], {"architectures": ["BertModel"], "hidden_size": WIDTH})
    return words + kinds[0]


def merged():
    """One step of embedding and head; with the cache switched on, every logit is 100 higher for even tokens."""
    rng = np.random.default_rng(9)
    words = rng.normal(size=(len(WORDS), WIDTH)).astype(np.float32)
    both, past = ("batch", "sequence"), ("batch", 2, "past_sequence_length", WIDTH // 2)
    bump = (100 * (np.arange(len(WORDS)) % 2 == 0)).astype(np.float32)
    branches = {
        kind: helper.make_graph(
            [helper.make_node("Add", ["plain", weight], [f"{kind}_logits"])],
            kind, [], [port(f"{kind}_logits", TensorProto.FLOAT, *both, len(WORDS))],
        )
        for kind, weight in (("on", "bump"), ("off", "none"))
    }
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["words", "input_ids"], ["word"]),
            helper.make_node("Reshape", ["word", "split"], ["heads"]),
            helper.make_node("Transpose", ["heads"], ["turned"], perm=[0, 2, 1, 3]),
            helper.make_node("Concat", ["past_key_values.0.key", "turned"], ["present.0.key"], axis=2),
            helper.make_node("Concat", ["past_key_values.0.value", "turned"], ["present.0.value"], axis=2),
            helper.make_node("Transpose", ["present.0.value"], ["back"], perm=[0, 2, 1, 3]),
            helper.make_node("Reshape", ["back", "join"], ["state"]),
            helper.make_node("Transpose", ["words"], ["head"], perm=[1, 0]),
            helper.make_node("MatMul", ["state", "head"], ["plain"]),
            helper.make_node("If", ["use_cache_branch"], ["logits"], then_branch=branches["on"], else_branch=branches["off"]),
        ],
        "merged",
        [port(name, TensorProto.INT64, *both) for name in ("input_ids", "attention_mask")]
        + [port(f"past_key_values.0.{kind}", TensorProto.FLOAT, *past) for kind in ("key", "value")]
        + [port("use_cache_branch", TensorProto.BOOL, 1)],
        [port("logits", TensorProto.FLOAT, *both, len(WORDS))]
        + [port(f"present.0.{kind}", TensorProto.FLOAT, "batch", 2, "length", WIDTH // 2) for kind in ("key", "value")],
        [
            onnx.numpy_helper.from_array(words, "words"),
            onnx.numpy_helper.from_array(bump, "bump"),
            onnx.numpy_helper.from_array(0 * bump, "none"),
            onnx.numpy_helper.from_array(np.array([0, 0, 2, WIDTH // 2]), "split"),
            onnx.numpy_helper.from_array(np.array([0, 0, WIDTH]), "join"),
        ],
    )
    config = {"architectures": ["LlamaForCausalLM"], "hidden_size": WIDTH, "num_attention_heads": 2,
              "num_hidden_layers": 1, "vocab_size": len(WORDS)}
    write(HERE / "merged", graph, ["[BOS]", "A"], config)
    logits = words[WORDS.index("?")].astype(np.float64) @ words.T
    logp = logits - np.log(np.exp(logits).sum())
    return [logp[WORDS.index(word)] for word in ("yes", "no")]


def seeing():
    rng = np.random.default_rng(10)
    words = rng.normal(size=(len(WORDS), WIDTH)).astype(np.float32)
    both = ("batch", "sequence")
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["words", "input_ids"], ["word"]),
            helper.make_node("ReduceMean", ["word"], ["mean"], axes=[1], keepdims=1),
            helper.make_node("Add", ["word", "mean"], ["last_hidden_state"]),
        ],
        "seeing",
        [port(name, TensorProto.INT64, *both) for name in ("input_ids", "attention_mask")],
        [port("last_hidden_state", TensorProto.FLOAT, *both, WIDTH)],
        [onnx.numpy_helper.from_array(words, "words")],
    )
    write(HERE / "seeing", graph, ["[BOS]", "A"], {"architectures": ["BertModel"], "hidden_size": WIDTH})


def classifier():
    rng = np.random.default_rng(11)
    words = rng.normal(size=(len(WORDS), WIDTH)).astype(np.float32)
    head = rng.normal(size=(WIDTH, 3)).astype(np.float32)
    both = ("batch", "sequence")
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["words", "input_ids"], ["word"]),
            helper.make_node("Cast", ["attention_mask"], ["real"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["real", "last"], ["weight"]),
            helper.make_node("Mul", ["word", "weight"], ["kept"]),
            helper.make_node("ReduceSum", ["kept", "middle"], ["sum"], keepdims=0),
            helper.make_node("MatMul", ["sum", "head"], ["logits"]),
        ],
        "classifier",
        [port(name, TensorProto.INT64, *both) for name in ("input_ids", "attention_mask")],
        [port("logits", TensorProto.FLOAT, "batch", 3)],
        [
            onnx.numpy_helper.from_array(words, "words"),
            onnx.numpy_helper.from_array(head, "head"),
            onnx.numpy_helper.from_array(np.array([2]), "last"),
            onnx.numpy_helper.from_array(np.array([1]), "middle"),
        ],
    )
    config = {"architectures": ["BertForSequenceClassification"], "hidden_size": WIDTH,
              "id2label": {"0": "bad", "1": "good", "2": "great"}}
    write(HERE / "classifier", graph, ["[BOS]", "A", "[SEP]"], config)


def main():
    weights = decoder()
    table = encoder()
    cache_off = merged()
    seeing()
    classifier()
    ids = {word: i for i, word in enumerate(WORDS)}
    texts = ["the river froze early this year", "is it true ?", "yes", "the year is early ? no", "unheard of"]
    cases = []
    for text in texts:
        tokens = [ids.get(word, 1) for word in text.split()]
        states, _ = decoder_states(weights, [2, *tokens])
        cases.append({
            "text": text,
            "last_token": [state[-1].tolist() for state in states],
            "mean": [state.mean(0).tolist() for state in states],
            "encoder_mean": table[[2, *tokens, 3]].mean(0).tolist(),
        })
    prompts = []
    for prefix, choices in [
        ("the river froze ?", ["yes", "no"]),
        ("is it", ["true", "early this year", "early this", "the river froze"]),
    ]:
        front = [2] + [ids[word] for word in prefix.split()]
        sums = []
        for choice in choices:
            tokens = [ids[word] for word in choice.split()]
            _, logp = decoder_states(weights, front + tokens)
            sums.append(sum(logp[len(front) - 1 + i, token] for i, token in enumerate(tokens)))
        prompts.append({"prefix": prefix, "choices": choices, "sums": sums})
    (HERE / "reference.json").write_text(json.dumps({"texts": cases, "prompts": prompts, "merged": cache_off}, indent=1) + "\n")


main()
