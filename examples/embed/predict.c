/* Predicts with parameters that nnc trained: reads diamond.safetensors into the struct of diamond.h by
 * its table of tensors, then takes points "x y" from standard input.
 *
 *   nnc train ../diamond.nn --save diamond.safetensors
 *   echo 0.2 0.3 | ./predict diamond.safetensors */
#include "diamond.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The whole file, a zero after it; null if it cannot be read. */
static char *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file)
    return NULL;
  char *bytes = NULL;
  long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
  if (length >= 0 && fseek(file, 0, SEEK_SET) == 0)
    bytes = (char *)malloc((size_t)length + 1);
  if (bytes && fread(bytes, 1, (size_t)length, file) != (size_t)length) {
    free(bytes);
    bytes = NULL;
  }
  fclose(file);
  if (bytes) {
    bytes[length] = 0;
    *size = (size_t)length;
  }
  return bytes;
}

/* Copies one tensor from the file's data; 0 if the file lacks it or has it in another size. The JSON
 * is searched, not parsed: enough for the files that nnc writes. */
static int load_tensor(const nnc_tensor *tensor, const char *json, const char *data, size_t size,
                       char *state) {
  char key[256], type[32];
  uint64_t begin, end;
  snprintf(key, sizeof key, "\"%s\":{", tensor->name);
  snprintf(type, sizeof type, "\"%s\"", tensor->dtype);
  const char *entry = strstr(json, key);
  const char *close = entry ? strchr(entry, '}') : NULL;
  const char *dtype = entry ? strstr(entry, type) : NULL;
  const char *offsets = entry ? strstr(entry, "\"data_offsets\":[") : NULL;
  if (!close || !dtype || !offsets || dtype > close || offsets > close ||
      sscanf(offsets, "\"data_offsets\":[%" SCNu64 ",%" SCNu64, &begin, &end) != 2)
    return 0;
  if (end > size || begin > end || end - begin != tensor->bytes)
    return 0;
  memcpy(state + tensor->offset, data + begin, tensor->bytes);
  return 1;
}

/* Reads the tensors of a .safetensors file into a state; 0, with a message, if one is missing. */
static int load_state(const char *path, const nnc_tensor *tensors, size_t count, void *state) {
  size_t size = 0;
  uint64_t header = 0;
  char *bytes = read_file(path, &size);
  int ok = bytes && size >= 8;
  if (ok) {
    memcpy(&header, bytes, 8);
    ok = header <= size - 8;
  }
  if (!ok)
    fprintf(stderr, "%s: not a .safetensors file\n", path);
  for (size_t i = 0; ok && i < count; ++i) {
    const char *data = bytes + 8 + header;
    ok = load_tensor(&tensors[i], bytes + 8, data, size - 8 - (size_t)header, (char *)state);
    if (!ok)
      fprintf(stderr, "%s: no tensor '%s' of the right type and size\n", path, tensors[i].name);
  }
  free(bytes);
  return ok;
}

int main(int argc, char **argv) {
  static diamond_state model;
  NNC_ALIGNED static double point[3] = {1}, probability[1];
  size_t count = sizeof diamond_tensors / sizeof *diamond_tensors;
  if (argc != 2) {
    fprintf(stderr, "usage: predict FILE.safetensors\n");
    return EXIT_FAILURE;
  }
  if (!load_state(argv[1], diamond_tensors, count, &model))
    return EXIT_FAILURE;
  void *workspace = aligned_alloc(64, (size_t)diamond_workspace(1) + 64);
  if (!workspace)
    return EXIT_FAILURE;
  while (scanf("%lf %lf", &point[1], &point[2]) == 2) {
    diamond(&model, 1, point, probability, workspace);
    printf("(%g, %g) %s\n", point[1], point[2], *probability > 0.5 ? "inside" : "outside");
  }
  free(workspace);
  return EXIT_SUCCESS;
}
