"""Speech in small: text becomes tones, and tones become the same text again."""

from __future__ import annotations

from array import array

from xnai_validate.demo.services import speech


def test_silence_and_other_sounds_are_no_speech() -> None:
    """Silence is an empty text, a sound that is not speech has little confidence."""
    silence = speech.parse(speech.wav(array("h", bytes(3200))))
    assert speech.recognise(silence) == speech.Heard("", 0.0)
    humming = speech.parse(speech.wav(array("h", [9000, 0, -9000, 0] * 800)))
    heard = speech.recognise(humming)
    assert heard.text == "(sound)"
    assert heard.confidence < 0.5
