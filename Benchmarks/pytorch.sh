# The Python side of a comparison: the same libtorch, whose version stands in the name of its licence folder. Sets `venv`.
TORCH_DIR=$PWD/.deps/torch
export TORCH_DIR
info=$(ls -d "$(readlink -f "$TORCH_DIR")"/../torch-*.dist-info)
version=${info##*/torch-}
version=${version%.dist-info}
venv=.deps/bench-venv
if ! "$venv/bin/python" -c "import torch; assert torch.__version__ == '$version'" 2>/dev/null; then
    echo "setting up PyTorch $version for the comparison"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet "torch==$version" numpy || "$venv/bin/pip" install --quiet "torch==${version%%+*}" numpy
fi
