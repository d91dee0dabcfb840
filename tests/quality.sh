#!/bin/sh
# How good speech still is when packets are lost: PESQ (ITU-T P.862.2, 1 to 4.6) of what comes out against what went in.
#   tests/quality.sh SPEECH.wav
# Needs Python 3 with venv; fetches `pesq` and `scipy` into target/quality.
set -eu
[ $# -eq 1 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
speech=$(realpath "$1")
cd "$(dirname "$0")/.."
folder="$(pwd)/target/quality"
[ -x "$folder/venv/bin/python" ] || python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -c 'import pesq, scipy' 2>/dev/null || "$folder/venv/bin/pip" install -q pesq scipy
cargo bench --locked --workspace --profile release --bench speech -- only speech --speech "$speech" --to "$folder"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import pathlib, sys
import pesq, scipy.io.wavfile, scipy.signal

folder = pathlib.Path(sys.argv[1])
SECOND = 16000
PIECE = 7 * SECOND

def read(name):
    rate, samples = scipy.io.wavfile.read(folder / name)
    return scipy.signal.resample_poly(samples, SECOND, rate).astype("int16")

def pieces(played):
    """In pieces, after three seconds in which the way is learnt: PESQ aligns utterances, not hours. Each is looked for where
    it is most like the original, up to 300 ms later: delay is no fault of the sound."""
    for at in range(3 * SECOND, 31 * SECOND, PIECE):
        said = original[at:at + PIECE]
        heard = played[at:at + PIECE + SECOND * 3 // 10]
        late = scipy.signal.correlate(heard.astype(float), said.astype(float), "valid").argmax()
        yield pesq.pesq(SECOND, said, heard[late:late + PIECE], "wb")

original = read("original.wav")
for line in ["quick", "slow"]:
    scores = {}
    for name in ["noloss", "5", "10", "20", "burstsof200ms"]:
        played = [read(path.name) for path in folder.glob(f"{name}-{line}-*.wav")]
        all_pieces = [score for one in played for score in pieces(one)]
        scores[name] = sum(all_pieces) / len(all_pieces)
    shown = "  ".join(f"{name} {score:.2f}" for name, score in scores.items())
    print(f"  {line} line: PESQ {shown}; 10 % against none {scores['10'] - scores['noloss']:+.2f}")
PYTHON
