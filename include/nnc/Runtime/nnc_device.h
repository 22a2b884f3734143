/*===- nnc_device.h - Compiled models on a GPU ---------------------*- C -*-===*\
|*
|* What `nnc compile --target ptx:ARCH` makes is called as on the CPU, through the same header, and
|* linked with libnnc_rt.a. The environment's NNC_DEVICE says where it runs:
|*
|*   auto     on the first GPU, or on the CPU if there is no driver or no GPU; when left out
|*   cuda:N   on GPU number N; anything that is missing is an error
|*   cpu      on the CPU, by the code for it in the same object
|*
|* The arrays of a call may be host memory: what the call reads is copied to the device first, what
|* it writes is copied back, and the call returns when that is done. Arrays in memory of the device
|* are used where they are, without a copy. So a state that is kept there stays there:
|*
|*   lenet_state *state = nnc_device_alloc(sizeof *state);
|*   lenet_init(state, seed, 0, workspace);
|*   for (...)
|*     lenet_step(state, ..., images, labels, loss, workspace);
|*   nnc_device_copy(&host_state, state, sizeof host_state);
|*
|* With no host memory among its arrays a call returns before the device has done it; calls and
|* copies take effect in the order in which they are made. On the CPU nnc_device_alloc gives host
|* memory, so that the same program runs on both.
|*
|* All functions may be called from any thread, one after the other.
|*
\*===----------------------------------------------------------------------===*/
#ifndef NNC_RUNTIME_NNC_DEVICE_H
#define NNC_RUNTIME_NNC_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where calls run: "cpu", or such as "cuda:0, NVIDIA H100 80GB HBM3 (sm_90)". */
const char *nnc_device_name(void);

/** Memory on the device, aligned to 256 bytes; null after an error. */
void *nnc_device_alloc(size_t bytes);
void nnc_device_free(void *memory);

/** Memory of the host from which the device copies by itself, while it computes: for what each call reads
    or writes. The same alignment; null after an error. */
void *nnc_device_alloc_host(size_t bytes);
void nnc_device_free_host(void *memory);

/** Copies `bytes`, each side on the device or not. Returns when `from` may be changed and, if `to` is
    host memory, when it is filled. */
void nnc_device_copy(void *to, const void *from, size_t bytes);

/** Returns when everything that was asked for so far is done. */
void nnc_device_wait(void);

/** The CUstream (a cudaStream_t) in which all is done, for a program that has other work for the device: it
    is to go there, too, or to wait for it. Null on the CPU. */
void *nnc_device_stream(void);

/** What to do about an error: it names the line of the program if a kernel failed. Without a handler,
    the error goes to stderr and the process exits with status 1. If the handler returns, the call that
    failed does so, too, and its results are undefined. */
void nnc_device_on_error(void (*handler)(const char *message, void *context), void *context);

/*===-- What compiled code and this library tell each other -----------------===*/

/** Kernels as an object holds them. */
typedef struct nnc_kernels {
  /** What they are for: "sm_90a". */
  const char *arch;
  /** A text that ends with a zero. */
  const char *ptx;
  /** The same assembled; null where the compiler had no ptxas. */
  const void *cubin;
  int64_t count;
  const char *const *names;
  /** What the library knows of them, null at first. */
  void *loaded;
} nnc_kernels;

enum { nnc_buffer_read = 1, nnc_buffer_written = 2 };

typedef struct nnc_buffer {
  /** Its bytes for the values of the symbols. */
  int64_t (*bytes)(const int64_t *symbols);
  /** How the code uses it; 0 if it is a result that another one overwrites in place. */
  int64_t use;
} nnc_buffer;

/** Code that launches kernels for one kind of GPU. It takes addresses on the device. */
typedef struct nnc_variant {
  /** What the kernels are for: "sm_90a". */
  const char *arch;
  void (*run)(void *const *buffers, const int64_t *symbols, void *workspace);
  int64_t (*workspace)(const int64_t *symbols);
} nnc_variant;

/** An entry point: its code for the CPU, and for each kind of GPU. */
typedef struct nnc_entry {
  const char *name;
  void (*cpu)(void *const *buffers, const int64_t *symbols, void *workspace);
  int64_t (*cpu_workspace)(const int64_t *symbols);
  int64_t num_variants;
  const nnc_variant *variants;
  int64_t num_buffers, num_symbols;
  const nnc_buffer *buffers;
  /** What the library knows of it, null at first. */
  void *known;
} nnc_entry;

/** Runs an entry where NNC_DEVICE says. */
void nnc_device_run(nnc_entry *entry, void *const *buffers, const int64_t *symbols,
                    void *workspace);
/** Bytes of host memory that nnc_device_run needs as `workspace`. */
int64_t nnc_device_workspace(nnc_entry *entry, const int64_t *symbols);

/** Called by an entry's code for the GPU: starts `blocks` blocks of `threads` threads of kernel number
    `kernel`. `place` is the line of the program: "lenet.nn:12:7". */
void nnc_device_launch(nnc_kernels *kernels, int64_t kernel, const char *place,
                       const int64_t blocks[3], const int64_t threads[3], int64_t shared_bytes,
                       void **arguments);

/** Called by an entry's code for the GPU: describes a tensor of elements of two bytes, in the 128 bytes at
    `map`, a multiple of 64, for a kernel that copies boxes of it to lines of 128 bytes. The outermost axis comes
    first; strides are in elements, that of the last axis is 1. */
void nnc_device_tensor_map(void *map, const char *place, const void *address, int64_t num_axes,
                           const int64_t *sizes, const int64_t *strides, const int64_t *box);

#ifdef __cplusplus
}
#endif

#endif /* NNC_RUNTIME_NNC_DEVICE_H */
