"""Names for people."""

WORDS = {
    "ewc": "EWC",
    "gaussian": "Gaussian",
    "icarl": "iCaRL",
    "lora": "LoRA",
    "reft": "LoReFT",
    "slda": "SLDA",
}
PHRASES = {"base": "base (before)", "full": "all weights", "finetune_all": "naive fine-tuning"}

SEEN = "all seen"
"""In a table of steps, all classes that were learned by then."""


def title(name: str) -> str:
    """The name of a method or contender for people: `gaussian_lora` is Gaussian LoRA."""
    if name.startswith("rank_"):
        return f"LoRA, rank {name.removeprefix('rank_')}"
    words = (WORDS.get(word, word) for word in name.split("_"))
    return PHRASES.get(name, " ".join(words))
