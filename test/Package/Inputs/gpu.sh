#!/usr/bin/env bash
# gpu.sh MODEL.nn SIZES DRIVER FOLDER ROOT LIBDIR [OTHERS]: makes a program of the model, FOLDER/host, and its kernels,
# and compares what it computes on the emulated GPU, whose driver is in DRIVER, with the CPU. The program has code
# for OTHERS, too: "sm_80,".
set -euo pipefail
model=$1 sizes=$2 driver=$3 folder=$4 root=$5 libdir=$6 others=${7-}
name=$(basename "$model" .nn)
inputs=$(dirname "${BASH_SOURCE[0]}")
mkdir -p "$folder"
target=ptx:sm_90a,cpu:x86-64-v3
nnc compile "$model" --target "ptx:${others}sm_90a,cpu:x86-64-v3" -o "$folder" > "$folder/files"
"$inputs/../../Runtime/Inputs/emulate-kernels" "$model" "$folder/kernels.so" "$root" "$libdir" --target $target
python3 "$inputs/host.py" program "$folder/$name.h" "$sizes" > "$folder/host.c"
gcc -std=gnu11 -g -O1 -Wall -Wextra -Werror -I"$folder" "$folder/host.c" "$folder/$name.o" "$libdir/libnnc_rt.a" \
  -pthread -ldl -o "$folder/host"
NNC_DEVICE=cpu "$folder/host" "$folder/expected"
env LD_LIBRARY_PATH="$driver" FAKE_CUDA_KERNELS="$folder/kernels.so" FAKE_CUDA_LOG="$folder/log" NNC_DEVICE=cuda:0 \
  "$folder/host" "$folder/found"
# Where rounding decides, as in a gradient that is 0, the code for another processor shows by how much.
if ! python3 "$inputs/host.py" compare "$folder/expected" "$folder/found" 1e-5 2> "$folder/error"; then
  nnc compile "$model" --target cpu:x86-64-v2 -o "$folder/v2" > "$folder/files"
  gcc -std=gnu11 -O1 -I"$folder/v2" "$folder/host.c" "$folder/v2/$name.o" -o "$folder/v2/host"
  "$folder/v2/host" "$folder/other"
  python3 "$inputs/host.py" noise "$folder/expected" "$folder/other" > "$folder/noise"
  python3 "$inputs/host.py" compare "$folder/expected" "$folder/found" 1e-5 "$folder/noise"
fi
echo "$(grep -c cuLaunchKernel "$folder/log") launches, $(grep -c cuGraphLaunch "$folder/log") graphs"
