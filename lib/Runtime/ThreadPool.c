//===- ThreadPool.c - nnc_parallel_for on a pool of threads ---------------===//
//
// The calling thread cuts the work into equal ranges, one a thread, and posts the job to each
// worker. Every thread takes its own range piece by piece, so that it sees the same rows in each
// loop of a model, then what is left of the others': a thread that the system has put aside holds
// up nobody. A post that no worker has taken up by the end is taken back.
//
// A worker that waits looks at its post for some microseconds (the next loop of a model is rarely
// far), then sleeps until it is woken. One caller has the pool at a time; any other, a nested call
// too, does its work alone.
//
//===----------------------------------------------------------------------===//
#define _GNU_SOURCE
#include "nnc/Runtime/nnc_rt.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum {
  kMaxThreads = 1024,
  /// Looks at a post before a thread gives up its processor: about 100 microseconds.
  kSpins = 4000,
};

/// Work that the caller holds on its stack until all threads are done with it.
struct Job {
  void (*body)(void *context, int64_t begin, int64_t end);
  void *context;
  int numThreads;
  /// How much a thread takes at a time.
  int64_t piece;
};

/// A thread, its post, and its range of the job; on cache lines of its own.
struct Worker {
  /// Empty, a job to take up, or &busy.
  _Alignas(128) _Atomic(const struct Job *) post;
  atomic_bool sleeps;
  atomic_int_least64_t numRuns;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  pthread_t thread;
  /// What nobody has taken of the range begins here.
  _Alignas(128) atomic_int_least64_t next;
  int64_t end;
};

/// Thread 0 is whoever calls, and has no post. What is not atomic belongs to the holder of the pool.
static struct Worker workers[kMaxThreads];
static atomic_bool isHeld;
static atomic_int numWanted;
static int numRunning = 1;
static int numSpins;
/// In the post of a worker that has taken up its job.
static const struct Job busy;
/// What a worker is posted to make it end.
static const struct Job endJob;

static bool tryHold(void) {
  return !atomic_load_explicit(&isHeld, memory_order_relaxed) &&
         !atomic_exchange_explicit(&isHeld, true, memory_order_acquire);
}

static void release(void) { atomic_store_explicit(&isHeld, false, memory_order_release); }

static void hold(void) {
  while (!tryHold())
    sched_yield();
}

static inline void pauseBriefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

//===----------------------------------------------------------------------===//
// Posts
//===----------------------------------------------------------------------===//

/// Gives each thread its range. Not count * i / numThreads, which could overflow.
static void divide(int64_t count, const struct Job *job) {
  int64_t each = count / job->numThreads, more = count % job->numThreads;
  for (int i = 0; i < job->numThreads; ++i) {
    int64_t begin = each * i + (i < more ? i : more);
    workers[i].end = begin + each + (i < more);
    atomic_store_explicit(&workers[i].next, begin, memory_order_relaxed);
  }
}

/// Runs what is left of all ranges, those of `thread` first. Returns how many pieces it had.
static int64_t runPieces(const struct Job *job, int thread) {
  int64_t numPieces = 0;
  for (int i = 0; i < job->numThreads; ++i) {
    struct Worker *owner = &workers[(thread + i) % job->numThreads];
    int64_t end = owner->end;
    while (atomic_load_explicit(&owner->next, memory_order_relaxed) < end) {
      int64_t begin = atomic_fetch_add_explicit(&owner->next, job->piece, memory_order_relaxed);
      if (begin >= end)
        break;
      job->body(job->context, begin, end - begin < job->piece ? end : begin + job->piece);
      ++numPieces;
    }
  }
  return numPieces;
}

static void post(struct Worker *worker, const struct Job *job) {
  // Either we see that it sleeps, or it sees the post before it does: both are in one order.
  atomic_store(&worker->post, job);
  if (atomic_load(&worker->sleeps)) {
    pthread_mutex_lock(&worker->mutex);
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->mutex);
  }
}

/// The job in the post, now the worker's; none if there is none, or it was taken back just now.
static const struct Job *takeUp(struct Worker *worker) {
  const struct Job *job = atomic_load(&worker->post);
  return job && atomic_compare_exchange_strong(&worker->post, &job, &busy) ? job : NULL;
}

static const struct Job *awaitPost(struct Worker *worker) {
  const struct Job *job;
  for (int spin = 0; spin < numSpins; ++spin) {
    if ((job = takeUp(worker)))
      return job;
    pauseBriefly();
  }
  pthread_mutex_lock(&worker->mutex);
  atomic_store(&worker->sleeps, true);
  while (!(job = takeUp(worker)))
    pthread_cond_wait(&worker->wake, &worker->mutex);
  atomic_store(&worker->sleeps, false);
  pthread_mutex_unlock(&worker->mutex);
  return job;
}

/// Takes the job back, or waits for the worker that has it.
static void awaitDone(struct Worker *worker, const struct Job *job) {
  if (atomic_compare_exchange_strong(&worker->post, &job, NULL))
    return;
  for (int spin = 0; atomic_load_explicit(&worker->post, memory_order_acquire); ++spin)
    if (spin < numSpins)
      pauseBriefly();
    else
      sched_yield();
}

static void *work(void *argument) {
  struct Worker *worker = argument;
  const struct Job *job;
  while ((job = awaitPost(worker)) != &endJob) {
    int64_t numPieces = runPieces(job, (int)(worker - workers));
    atomic_fetch_add_explicit(&worker->numRuns, numPieces, memory_order_relaxed);
    atomic_store_explicit(&worker->post, NULL, memory_order_release);
  }
  return NULL;
}

//===----------------------------------------------------------------------===//
// The number of threads; all by the holder of the pool
//===----------------------------------------------------------------------===//

/// The processors' worth of time that the container grants, rounded up; 0 if it does not say.
static long containerLimit(void) {
  char text[64], *period;
  int file = open("/sys/fs/cgroup/cpu.max", O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return 0;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  text[length < 0 ? 0 : length] = 0;
  // "200000 100000": microseconds in each period; "max" where there is no limit.
  long quota = strtol(text, &period, 10), each = strtol(period, NULL, 10);
  return quota > 0 && each > 0 ? (quota - 1) / each + 1 : 0;
}

static int numProcessors(void) {
  long number = sysconf(_SC_NPROCESSORS_ONLN), limit = containerLimit();
#ifdef CPU_COUNT
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    number = CPU_COUNT(&set);
#endif
  if (limit > 0 && limit < number)
    number = limit;
  return number < 1 ? 1 : (int)number;
}

static int clampThreads(long threads) { return threads > kMaxThreads ? kMaxThreads : (int)threads; }

static int defaultThreads(void) {
  const char *text = getenv("NNC_NUM_THREADS");
  char *end;
  long number = text ? strtol(text, &end, 10) : 0;
  bool isValid = text && *text && !*end && number >= 1 && number <= kMaxThreads;
  return isValid ? (int)number : clampThreads(numProcessors());
}

static void endWorkers(void) {
  for (int i = 1; i < numRunning; ++i)
    post(&workers[i], &endJob);
  for (int i = 1; i < numRunning; ++i) {
    pthread_join(workers[i].thread, NULL);
    pthread_mutex_destroy(&workers[i].mutex);
    pthread_cond_destroy(&workers[i].wake);
  }
  numRunning = 1;
}

/// Nothing of the pool runs when the program ends or unloads it, unless it ends in a body.
__attribute__((destructor)) static void endPool(void) {
  if (tryHold()) {
    endWorkers();
    release();
  }
}

/// After fork the child has no threads but its own.
static void forgetWorkers(void) {
  numRunning = 1;
  release();
}

/// As many workers as wanted, or as the system grants. Signals stay with the program's threads.
static void startWorkers(void) {
  static bool knowsFork;
  if (!knowsFork)
    knowsFork = pthread_atfork(NULL, NULL, forgetWorkers) == 0;
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  // Where threads share a processor, one that spins keeps another from its work.
  numSpins = numWanted > numProcessors() ? 0 : kSpins;
  while (numRunning < numWanted) {
    struct Worker *worker = &workers[numRunning];
    atomic_store(&worker->post, NULL);
    atomic_store(&worker->sleeps, false);
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_cond_init(&worker->wake, NULL);
    if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
      numWanted = numRunning;
      break;
    }
    ++numRunning;
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static int wantedThreads(void) {
  int wanted = atomic_load_explicit(&numWanted, memory_order_relaxed);
  if (wanted == 0)
    atomic_store_explicit(&numWanted, wanted = defaultThreads(), memory_order_relaxed);
  return wanted;
}

//===----------------------------------------------------------------------===//
// The interface
//===----------------------------------------------------------------------===//

void nnc_set_num_threads(int threads) {
  hold();
  endWorkers();
  numWanted = threads < 1 ? 0 : clampThreads(threads);
  release();
}

int nnc_num_threads(void) { return wantedThreads(); }

int64_t nnc_num_worker_runs(void) {
  int64_t runs = 0;
  for (int i = 1; i < kMaxThreads; ++i)
    runs += atomic_load_explicit(&workers[i].numRuns, memory_order_relaxed);
  return runs;
}

void nnc_parallel_for(int64_t count, void (*body)(void *context, int64_t begin, int64_t end),
                      void *context) {
  if (count < 1)
    return;
  if (count == 1 || !tryHold()) {
    body(context, 0, count);
    return;
  }
  if (numRunning < wantedThreads())
    startWorkers();
  // In one range: each has memory of its own for what its iterations leave to each other.
  if (numRunning == 1) {
    body(context, 0, count);
    release();
    return;
  }
  struct Job job = {body, context, count < numRunning ? (int)count : numRunning, 1};
  // Few enough pieces to cost nothing, enough to even out what threads get done.
  job.piece = 1 + count / job.numThreads / 8;
  divide(count, &job);
  for (int i = 1; i < job.numThreads; ++i)
    post(&workers[i], &job);
  runPieces(&job, 0);
  for (int i = 1; i < job.numThreads; ++i)
    awaitDone(&workers[i], &job);
  release();
}
