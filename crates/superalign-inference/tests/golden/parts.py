"""Writes rung-0-first.onnx and rung-0-second.onnx: the ladder's smallest rung in the form of Optimum's unmerged decoders.

    python parts.py      # needs onnx; writes beside itself

The first takes no cache and gives one; the second reads one token after a cache. Both are made of the rung's graph
with a cache; the weights stay references to its `model.safetensors`.
"""

import pathlib

import onnx
from onnx import TensorProto, helper

HERE = pathlib.Path(__file__).parent
PAST = HERE / "../../../../models/ladder/rung-0/model_with_past.onnx"


def first(model):
    """What is new in place of the cache with what is new."""
    graph = model.graph
    caches = [port for port in graph.input if port.name.startswith("past_key_values.")]
    kept = [port for port in graph.input if port not in caches]
    names = {port.name for port in caches}
    nodes, weights = [], list(graph.initializer)
    for node in graph.node:
        new = [value for value in node.input if value not in names]
        if node.op_type == "Shape" and not new:
            # Only the number of tokens is taken from it.
            weights.append(helper.make_tensor(node.output[0], TensorProto.INT64, [4], [0] * 4))
            continue
        if len(new) < len(node.input):
            assert node.op_type == "Concat" and len(new) == 1
            node = helper.make_node("Identity", new, node.output, name=node.name)
        nodes.append(node)
    mask = next(port for port in kept if port.name == "attention_mask")
    mask.type.tensor_type.shape.dim[1].dim_param = "sequence_length"
    for port in graph.output:
        if port.name.startswith("present."):
            port.type.tensor_type.shape.dim[2].dim_param = "sequence_length"
    made = helper.make_graph(nodes, "first", kept, graph.output, weights)
    return helper.make_model(made, opset_imports=model.opset_import, ir_version=model.ir_version)


def second(model):
    """One token at a time."""
    for port in model.graph.input:
        if port.name in ("input_ids", "position_ids"):
            port.type.tensor_type.shape.dim[1].dim_value = 1
    return model


def main():
    for make in (first, second):
        file = make(onnx.load(PAST, load_external_data=False))
        (HERE / f"rung-0-{make.__name__}.onnx").write_bytes(file.SerializeToString())


main()
