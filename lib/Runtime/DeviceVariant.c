//===- DeviceVariant.c - Which code of an entry a GPU runs ----------------===//
//
// Code for sm_80 runs on GPUs from version 8.0 on, for sm_100f on those of version 10 from 10.0 on, for sm_90a on
// those of version 9.0 alone. The newest that runs is taken and, of one version, what runs on the fewest.
//
//===----------------------------------------------------------------------===//
#include "Device.h"

#include <stdio.h>

/// How well code for `arch` suits the GPU; negative if it does not run there.
static int rank(const char *arch) {
  int version = 0, gpu = nncDevice.version;
  char kind = 0;
  if (sscanf(arch, "sm_%d%c", &version, &kind) < 1)
    return -1;
  bool runs = kind == 'a'   ? version == gpu
              : kind == 'f' ? version / 10 == gpu / 10 && version <= gpu
                            : version <= gpu;
  return runs ? 4 * version + (kind == 'a' ? 2 : kind == 'f' ? 1 : 0) : -1;
}

const nnc_variant *nncChooseVariant(const nnc_entry *entry) {
  const nnc_variant *best = NULL;
  for (int64_t i = 0; i < entry->num_variants; ++i) {
    const nnc_variant *variant = &entry->variants[i];
    if (rank(variant->arch) > (best ? rank(best->arch) : -1))
      best = variant;
  }
  if (best)
    return best;
  char archs[200] = "";
  size_t length = 0;
  for (int64_t i = 0; i < entry->num_variants && length < sizeof archs; ++i)
    length += (size_t)snprintf(archs + length, sizeof archs - length, "%s%s", i ? ", " : "",
                               entry->variants[i].arch);
  nncFail("the code for %s does not run on %s (NNC_DEVICE=cpu runs without)", archs,
          nncDevice.name);
  return NULL;
}
