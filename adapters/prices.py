"""List prices by genai-prices: a second opinion on what a gateway books."""

from functools import lru_cache

_PROVIDERS = {
    "azure_ai": "azure",
    "bedrock": "aws",
    "cohere_chat": "cohere",
    "fireworks_ai": "fireworks",
    "gemini": "google",
    "together_ai": "together",
    "vertex_ai": "google",
    "xai": "x-ai",
}
"""LiteLLM's names for providers whom genai-prices calls otherwise."""


def list_price(model: str, provider: str, tokens_in: float, tokens_out: float, cached_in: float = 0.0) -> float | None:
    """What these tokens cost in US dollars at list price, or None when the model's price is not known.

    Args:
        model: the provider's name for it, with or without `provider/` before it.
        provider: LiteLLM's name for the provider; empty where it stands before the model's name.
        tokens_in: all input tokens, the cached ones among them.
        tokens_out: output tokens.
        cached_in: input tokens that were read from the provider's cache.
    """
    prefix, slash, rest = model.partition("/")
    if slash and (not provider or prefix == provider):
        provider, model = prefix, rest
    each = _each(model, _PROVIDERS.get(provider, provider))
    if each is None:
        return None
    fresh, out, cached = each
    cached_in = min(cached_in, tokens_in)
    return (tokens_in - cached_in) * fresh + tokens_out * out + cached_in * cached


@lru_cache(maxsize=4096)
def _each(model: str, provider: str) -> tuple[float, float, float] | None:
    """US dollars for one token: input, output, cached input. Tiers by context length are not known here."""
    from genai_prices import Usage, calc_price

    sample = 1_000
    try:
        price = calc_price(
            Usage(input_tokens=sample, output_tokens=sample), model_ref=model, provider_id=provider or None
        )
        cached = calc_price(
            Usage(input_tokens=sample, cache_read_tokens=sample), model_ref=model, provider_id=provider or None
        )
    except (LookupError, ValueError):
        return None
    return tuple(float(part or 0) / sample for part in (price.input_price, price.output_price, cached.total_price))  # type: ignore[return-value]
