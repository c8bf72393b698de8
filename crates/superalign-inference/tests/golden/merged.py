"""Writes rung-0-merged.onnx: the graph with a cache of the ladder's smallest rung in the form of Optimum's merged decoders.

    python merged.py      # needs onnx; writes beside itself

One `If` on `use_cache_branch`: with it the graph as it is, without it the same graph with the cache cut to nothing, which
fails when a cache is given. The weights stay references to the rung's `model.safetensors`.
"""

import copy
import pathlib

import onnx
from onnx import TensorProto, helper

HERE = pathlib.Path(__file__).parent
PAST = HERE / "../../../../models/ladder/rung-0/model_with_past.onnx"


def branch(graph, name, cut):
    """The nodes of the graph, every value but inputs and weights named anew; with `cut`, caches are emptied first."""
    kept = {port.name for port in graph.input} | {weight.name for weight in graph.initializer} | {""}
    caches = [port.name for port in graph.input if port.name.startswith("past_key_values.")]
    nodes, renamed = [], {}
    if cut:
        for cache in caches:
            renamed[cache] = f"{name}.{cache}"
            nodes.append(helper.make_node("Slice", [cache, "merged.zero", "merged.zero", "merged.two"], [renamed[cache]]))
    for node in graph.node:
        node = copy.deepcopy(node)
        node.name = f"{name}.{node.name}"
        for values in (node.input, node.output):
            for at, value in enumerate(values):
                values[at] = renamed.get(value, value if value in kept else f"{name}.{value}")
        nodes.append(node)
    outputs = []
    for port in graph.output:
        port = copy.deepcopy(port)
        port.name = f"{name}.{port.name}"
        outputs.append(port)
    return helper.make_graph(nodes, name, [], outputs)


def main():
    model = onnx.load(PAST, load_external_data=False)
    graph = model.graph
    flag = helper.make_tensor_value_info("use_cache_branch", TensorProto.BOOL, [1])
    choice = helper.make_node(
        "If", ["use_cache_branch"], [port.name for port in graph.output], name="optimum::if",
        then_branch=branch(graph, "then", False), else_branch=branch(graph, "else", True),
    )
    axes = [helper.make_tensor("merged.zero", TensorProto.INT64, [1], [0]),
            helper.make_tensor("merged.two", TensorProto.INT64, [1], [2])]
    merged = helper.make_graph(
        [choice], "merged", [*graph.input, flag], graph.output, [*graph.initializer, *axes]
    )
    file = helper.make_model(merged, opset_imports=model.opset_import, ir_version=model.ir_version)
    (HERE / "rung-0-merged.onnx").write_bytes(file.SerializeToString())


main()
