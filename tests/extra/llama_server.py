"""The server of llama.cpp with a random model of 300 kB: `llama_server.py FOLDER PORT`; needs gguf and xllamacpp."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import gguf  # type: ignore[import-not-found]  # of the environment that the test makes
import numpy as np  # type: ignore[import-not-found,unused-ignore]
import xllamacpp  # type: ignore[import-not-found]

WIDTH, INNER, HEADS = 64, 128, 4
"""The lengths of a state and of the feed-forward layer, and the number of attention heads."""
TOKENS = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581hello", "\u2581world"]
KINDS = [2, 3, 3, *[6] * 256, 1, 1]
"""Unknown, control, byte and normal tokens, as GGUF numbers them."""


def write_model(path: Path) -> None:
    """Write a model of one layer, whose answers are random text."""
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny")
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(TOKENS)
    writer.add_token_scores([0.0] * len(TOKENS))
    writer.add_token_types(KINDS)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    generator = np.random.default_rng(1)
    norms = ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm")
    shapes = dict.fromkeys(("blk.0.attn_q", "blk.0.attn_k", "blk.0.attn_v", "blk.0.attn_output"), (WIDTH, WIDTH))
    shapes |= {"token_embd": (len(TOKENS), WIDTH), "output": (len(TOKENS), WIDTH)}
    shapes |= {"blk.0.ffn_gate": (INNER, WIDTH), "blk.0.ffn_up": (INNER, WIDTH), "blk.0.ffn_down": (WIDTH, INNER)}
    for name in norms:
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", generator.normal(0, 0.1, shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    """Write the model into a folder, and serve it on loopback until the process is ended."""
    model = Path(sys.argv[1]) / "tiny.gguf"
    write_model(model)
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {"tiny"}
    params.hostnames = ["127.0.0.1"]
    params.port = int(sys.argv[2])
    params.n_ctx = 256
    params.n_parallel = 1
    params.cpuparams.n_threads = 1
    _ = xllamacpp.Server(params)
    signal.pause()


if __name__ == "__main__":
    main()
