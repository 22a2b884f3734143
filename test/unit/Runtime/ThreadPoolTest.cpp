//===- ThreadPoolTest.cpp - Every iteration once, on any thread -----------===//
//
// Ranges cover the work at any number of threads; calls within calls, from several threads at once
// and after fork end; workers do run, and stop.
//
//===----------------------------------------------------------------------===//
#include "nnc/Runtime/nnc_rt.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Body = std::function<void(int64_t, int64_t)>;

void parallelFor(int64_t count, const Body &body) {
  nnc_parallel_for(
      count,
      [](void *context, int64_t begin, int64_t end) {
        (*static_cast<const Body *>(context))(begin, end);
      },
      const_cast<Body *>(&body));
}

/// How often each of `count` iterations ran.
std::vector<int> countRuns(int64_t count) {
  std::vector<std::atomic<int>> runs(count);
  parallelFor(count, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      ++runs[i];
  });
  return {runs.begin(), runs.end()};
}

class ThreadPool : public testing::TestWithParam<int> {
protected:
  void SetUp() override { nnc_set_num_threads(GetParam()); }
  void TearDown() override { nnc_set_num_threads(1); }
};

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPool, testing::Values(1, 2, 3, 4, 7));

TEST_P(ThreadPool, RunsEachIterationOnce) {
  EXPECT_EQ(nnc_num_threads(), GetParam());
  for (int64_t count : {0, 1, 2, 3, 5, 8, 63, 64, 65, 1000})
    for (int round = 0; round < 20; ++round)
      ASSERT_EQ(countRuns(count), std::vector<int>(count, 1)) << count << " iterations";
}

TEST_P(ThreadPool, RunsOneAfterTheOther) {
  // What a loop wrote, the next one reads.
  std::vector<int64_t> values(100, 0);
  for (int step = 0; step < 1000; ++step) {
    std::vector<int64_t> next(values.size());
    parallelFor(values.size(), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        next[i] = values[(i + 1) % values.size()] + 1;
    });
    values.swap(next);
  }
  EXPECT_EQ(values, std::vector<int64_t>(100, 1000));
}

TEST_P(ThreadPool, RunsNestedCallsOnTheirThread) {
  std::atomic<int> inner = 0, elsewhere = 0;
  parallelFor(8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      std::thread::id thread = std::this_thread::get_id();
      parallelFor(10, [&](int64_t from, int64_t to) {
        inner += to - from;
        elsewhere += std::this_thread::get_id() != thread;
      });
    }
  });
  EXPECT_EQ(inner, 80);
  EXPECT_EQ(elsewhere, 0);
}

TEST_P(ThreadPool, ServesSeveralCallers) {
  std::vector<std::thread> callers;
  std::atomic<int> failures = 0;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int round = 0; round < 100; ++round)
        failures += countRuns(40) != std::vector<int>(40, 1);
    });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_EQ(failures, 0);
}

TEST_P(ThreadPool, ServesTheChildOfAFork) {
  countRuns(64);
  pid_t child = fork();
  ASSERT_NE(child, -1);
  if (child == 0)
    _exit(countRuns(64) == std::vector<int>(64, 1) && nnc_num_threads() == GetParam() ? 0 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(countRuns(64), std::vector<int>(64, 1));
}

TEST(ThreadPoolWorkers, RunAtTheSameTime) {
  // Each iteration waits for all others to have begun, which takes a thread for each.
  nnc_set_num_threads(3);
  int64_t before = nnc_num_worker_runs();
  std::atomic<int> begun = 0;
  parallelFor(3, [&](int64_t begin, int64_t end) {
    ASSERT_EQ(end - begin, 1);
    ++begun;
    while (begun < 3)
      std::this_thread::yield();
  });
  EXPECT_EQ(nnc_num_worker_runs() - before, 2);
  nnc_set_num_threads(1);
}

TEST(ThreadPoolWorkers, WakeUpAfterSleep) {
  nnc_set_num_threads(2);
  for (int round = 0; round < 3; ++round) {
    std::atomic<int> begun = 0;
    parallelFor(2, [&](int64_t begin, int64_t end) {
      begun += end - begin;
      while (begun < 2)
        std::this_thread::yield();
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  nnc_set_num_threads(1);
}

TEST(ThreadPoolWorkers, HoldUpNobodyThatDoesTheirWork) {
  // The worker is stuck in its first piece; the caller does all others meanwhile.
  nnc_set_num_threads(2);
  std::thread::id caller = std::this_thread::get_id();
  std::atomic<int> done = 0;
  std::atomic<bool> workerRan = false;
  parallelFor(14, [&](int64_t begin, int64_t end) {
    if (std::this_thread::get_id() != caller) {
      workerRan = true;
      while (done < 13)
        std::this_thread::yield();
    }
    done += end - begin;
    while (!workerRan)
      std::this_thread::yield();
  });
  EXPECT_EQ(done, 14);
  nnc_set_num_threads(1);
}

TEST(ThreadPoolWorkers, NeverRunWithOneThread) {
  nnc_set_num_threads(1);
  int64_t before = nnc_num_worker_runs();
  countRuns(1000);
  EXPECT_EQ(nnc_num_worker_runs(), before);
}

TEST(ThreadPoolWorkers, LeaveAllToOneThreadAtOnce) {
  nnc_set_num_threads(1);
  std::vector<std::pair<int64_t, int64_t>> ranges;
  parallelFor(1000, [&](int64_t begin, int64_t end) { ranges.push_back({begin, end}); });
  EXPECT_EQ(ranges, (std::vector<std::pair<int64_t, int64_t>>{{0, 1000}}));
}

TEST(ThreadPoolWorkers, AreAsManyAsTheEnvironmentSays) {
  setenv("NNC_NUM_THREADS", "5", 1);
  nnc_set_num_threads(0);
  EXPECT_EQ(nnc_num_threads(), 5);
  for (const char *text : {"0", "-1", "many", "3 or so", "99999999999999999999", ""}) {
    setenv("NNC_NUM_THREADS", text, 1);
    nnc_set_num_threads(0);
    EXPECT_GE(nnc_num_threads(), 1) << text;
    EXPECT_LE(nnc_num_threads(), int(std::thread::hardware_concurrency())) << text;
  }
  unsetenv("NNC_NUM_THREADS");
  nnc_set_num_threads(5000);
  EXPECT_EQ(nnc_num_threads(), 1024);
  nnc_set_num_threads(1);
}

} // namespace
