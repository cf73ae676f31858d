from partner_app.core.logging import redact


def test_tokens_never_reach_a_log_by_key_or_inside_a_text() -> None:
    event = redact(
        None,
        "info",
        {
            "event": "GET /oauth/callback/?code=abc123&state=xyz789",
            "access_token": "secret-one",
            "header": "Authorization: Bearer secret-two",
            "url": "postgresql://app:secret-three@db/name",
        },
    )
    assert not any(word in str(event) for word in ("abc123", "xyz789", "secret"))
