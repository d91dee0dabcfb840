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

def read(name):
    rate, samples = scipy.io.wavfile.read(folder / name)
    # The first three seconds, in which the way is learnt, and what the delay cuts off.
    samples = samples[3 * rate : 31 * rate]
    return scipy.signal.resample_poly(samples, 16000, rate).astype("int16")

original = read("original.wav")
scores = {}
for name in ["noloss", "5", "10", "20", "burstsof200ms"]:
    played = [read(path.name) for path in folder.glob(f"{name}-*.wav")]
    # In pieces of seven seconds: what is stretched moves, and PESQ aligns utterances, not hours.
    pieces = [pesq.pesq(16000, original[at:at + 112000], one[at:at + 112000], "wb") for one in played for at in range(0, 28 * 16000, 112000)]
    scores[name] = sum(pieces) / len(pieces)
    print(f"  {name:<14} PESQ {scores[name]:.2f}")
print(f"  10 % against none: {scores['10'] - scores['noloss']:+.2f}")
PYTHON
