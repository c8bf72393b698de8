#!/usr/bin/env python3
"""Do transformers, ONNX Runtime and the trainer compute the same from one model folder?

Usage: check.py [--venv DIR | --here] [--trainer FILE] [--json FILE] FOLDER...

Exit status 0 if every difference is within the tolerance, 1 if not. See README.md.
"""

import argparse
import importlib.metadata
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
LENGTHS = (1, 2, 17, 64, 130)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a model folder with its graphs")
    parser.add_argument("--venv", type=Path, help="where the Python environment is, or is made [target/parity]")
    parser.add_argument("--here", action="store_true", help="use the packages of this Python instead")
    parser.add_argument("--trainer", type=Path, help="output of `superalign-pretrain probe` for the (one) folder")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="largest difference allowed [%(default)s]")
    args = parser.parse_args()
    if args.trainer and len(args.folders) != 1:
        parser.error("--trainer is about one folder, so give exactly one")
    return args


def enter_environment(folder):
    """Runs this script again inside a virtual environment that has exactly the pinned packages."""
    folder = (folder or HERE.parents[2] / "target" / "parity").resolve()
    if Path(sys.prefix).resolve() == folder:
        return
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "requirements.done"
    wanted = REQUIREMENTS.read_text()
    if not done.exists() or done.read_text() != wanted:
        print(f"making the environment {folder} (once)", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, symlinks=os.name != "nt")
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]
        subprocess.run(pip, check=True)
        done.write_text(wanted)
    sys.exit(subprocess.run([python, __file__, *sys.argv[1:]]).returncode)


class Transformers:
    """The reference: LlamaForCausalLM in single precision."""

    def __init__(self, folder):
        import torch
        from transformers import AutoConfig, LlamaForCausalLM
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        torch.set_grad_enabled(False)
        self.torch = torch
        self.config = AutoConfig.from_pretrained(folder)
        self.model, loading = LlamaForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
        )
        self.model.eval()
        self.strays = [f"{kind}: {name}" for kind, names in loading.items() for name in sorted(map(str, names))]

    def run(self, ids, mask):
        positions = (mask.cumsum(1) - 1).clip(0)
        tensors = {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
        tensors = {name: self.torch.from_numpy(array) for name, array in tensors.items()}
        out = self.model(**tensors, output_hidden_states=True, use_cache=False)
        return out.logits.numpy(), [state.numpy() for state in out.hidden_states]


class Graph:
    """One exported graph on ONNX Runtime."""

    def __init__(self, path):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.outputs = [output.name for output in self.session.get_outputs()]

    def run(self, **inputs):
        return dict(zip(self.outputs, self.session.run(None, inputs)))

    def empty_cache(self, batch):
        import numpy

        caches = [i for i in self.session.get_inputs() if i.name.startswith("past_key_values.")]
        return {i.name: numpy.zeros((batch, i.shape[1], 0, i.shape[3]), "float32") for i in caches}


def whole(graph, ids, mask):
    out = graph.run(input_ids=ids, attention_mask=mask)
    states = [name for name in out if name.startswith("hidden_states.")]
    return out["logits"], [out[f"hidden_states.{n}"] for n in range(len(states))]


def stepped(graph, ids, mask, parts):
    """Logits of `ids`, fed to the graph with a cache in parts of these lengths."""
    import numpy

    cache, logits, done = graph.empty_cache(len(ids)), [], 0
    positions = (mask.cumsum(1) - 1).clip(0)
    for part in parts:
        now = slice(done, done + part)
        done += part
        out = graph.run(
            input_ids=ids[:, now], attention_mask=mask[:, :done], position_ids=positions[:, now], **cache
        )
        logits.append(out.pop("logits"))
        cache = {name.replace("present", "past_key_values"): array for name, array in out.items()}
    return numpy.concatenate(logits, axis=1), None


def batches(vocabulary, positions):
    """Name, ids and mask of the inputs that everybody gets: single sequences, and batches padded on either side."""
    import numpy

    random = numpy.random.default_rng(20250307)
    lengths = sorted({min(n, positions) for n in LENGTHS})
    for n in lengths:
        yield f"1 x {n}", random.integers(0, vocabulary, (1, n)), numpy.ones((1, n), "int64")
    longest = lengths[-1]
    ids = random.integers(0, vocabulary, (len(lengths), longest))
    column = numpy.arange(longest)
    for side in ("right", "left"):
        kept = [column < n if side == "right" else column >= longest - n for n in lengths]
        yield f"{len(lengths)} x {longest}, padded {side}", ids, numpy.array(kept).astype("int64")


def difference(found, expected, mask):
    """Largest difference of the logits, and of each hidden state, over tokens that are not padding."""
    import numpy

    def largest(a, b):
        if a.shape != b.shape:
            return float("inf")
        worst = float(numpy.abs(a.astype("float64") - b)[mask == 1].max())
        return worst if numpy.isfinite(worst) else float("inf")

    hidden = None
    if found[1] is not None:
        same = len(found[1]) == len(expected[1])
        hidden = [largest(a, b) for a, b in zip(found[1], expected[1])] if same else [float("inf")]
    return {"logits": largest(found[0], expected[0]), "hidden_states": hidden}


def trainer_cases(path):
    import numpy

    for case in json.loads(path.read_text())["cases"]:
        ids = numpy.array([case["ids"]], "int64")
        states = [numpy.array([state]) for state in case["hidden_states"]]
        yield f"1 x {ids.shape[1]}, trainer's", ids, (numpy.array([case["logits"]]), states)


def check(folder, trainer):
    """Rows of (implementation, input, differences from transformers), and complaints that are not differences."""
    import numpy
    import onnx
    from transformers import AutoTokenizer

    complaints = []
    for name in ("model.onnx", "model_with_past.onnx"):
        try:
            onnx.checker.check_model(str(folder / name), full_check=True)
        except Exception as error:  # the checker's errors have no common base
            complaints.append(f"onnx.checker: {name}: {error}")
    reference = Transformers(folder)
    complaints += [f"transformers: {stray}" for stray in reference.strays]
    vocabulary = reference.config.vocab_size
    if (folder / "tokenizer.json").exists():
        words = len(AutoTokenizer.from_pretrained(folder))
        if words > vocabulary:
            complaints.append(f"tokenizer.json has {words} words, the model {vocabulary}")
    graph, cached = Graph(folder / "model.onnx"), Graph(folder / "model_with_past.onnx")

    rows = []

    def row(implementation, case, found, expected, mask):
        rows.append({"implementation": implementation, "input": case, **difference(found, expected, mask)})

    for case, ids, mask in batches(vocabulary, reference.config.max_position_embeddings):
        expected = reference.run(ids, mask)
        row("ONNX Runtime", case, whole(graph, ids, mask), expected, mask)
        n = ids.shape[1]
        parts = [n // 2, *[1] * (n - n // 2)] if n > 1 else [1]
        row("ONNX Runtime, cache", case, stepped(cached, ids, mask, parts), expected, mask)
    for case, ids, found in trainer_cases(trainer) if trainer else ():
        mask = numpy.ones_like(ids)
        expected = reference.run(ids, mask)
        row("trainer", case, found, expected, mask)
        row("ONNX Runtime", case, whole(graph, ids, mask), expected, mask)
    return rows, complaints


def main():
    args = arguments()
    if not args.here:
        enter_environment(args.venv)
    packages = [line.split("==")[0] for line in REQUIREMENTS.read_text().split()]
    report = {
        "tolerance": args.tolerance,
        "versions": {name: importlib.metadata.version(name) for name in packages},
        "folders": [],
    }
    passed = True
    for folder in args.folders:
        rows, complaints = check(folder, args.trainer)
        print(f"\n{folder}: largest difference from transformers, tolerance {args.tolerance:g}")
        print(f"{'implementation':<22}{'input':<26}{'logits':>10}{'hidden':>10}")
        for r in rows:
            worst = max(r["hidden_states"]) if r["hidden_states"] else None
            r["passed"] = max(r["logits"], worst or 0.0) <= args.tolerance
            hidden = "" if worst is None else f"{worst:.1e}"
            verdict = "" if r["passed"] else "  FAILED"
            print(f"{r['implementation']:<22}{r['input']:<26}{r['logits']:>10.1e}{hidden:>10}{verdict}")
        for complaint in complaints:
            print(f"FAILED  {complaint}")
        good = not complaints and all(r["passed"] for r in rows)
        print("onnx.checker, loading and parity: " + ("passed" if good else "FAILED"))
        passed = passed and good
        report["folders"].append({"folder": folder.name, "passed": good, "complaints": complaints, "rows": rows})
    report["passed"] = passed
    if args.json:
        part = args.json.with_name(args.json.name + ".part")
        part.write_text(json.dumps(report, indent=1) + "\n")
        part.replace(args.json)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
