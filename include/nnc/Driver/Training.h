//===- Training.h - Running a train declaration -----------------*- C++ -*-===//
//
// Draws batches, calls the compiled step, keeps what each step recorded. On all the data at once,
// many steps are one call of compiled code. On a GPU each step is a call, one of the driver to repeat what it did
// before, and the state stays there until it is asked for.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_TRAINING_H
#define NNC_DRIVER_TRAINING_H

#include "nnc/Driver/DataLoading.h"
#include "nnc/Driver/DeviceSteps.h"
#include "nnc/Driver/Executable.h"
#include "nnc/Driver/RunRecord.h"
#include "nnc/Transforms/RepeatStep.h"

namespace nnc {

/// The parameters and states of a model by name, in the order of its init function.
using State = std::vector<NamedTensor>;

/// A training after some number of steps. What comes after depends on the state, that number, the
/// seed and the data alone, however the steps are divided into calls of `advance`.
class Training {
public:
  /// `executable` holds the plan's init and steps functions, `data` its fields.
  Training(const TrainPlan &plan, std::string init, Executable &executable, LoadedData data,
           int64_t seed, unsigned threads = 1);
  ~Training();

  /// Fills the state from the seed.
  bool initialize(std::string &error);
  /// Runs steps until `until` are done in all.
  bool advance(int64_t until, std::string &error);

  const TrainPlan &trainPlan() const { return plan; }
  const LoadedData &trainingData() const { return data; }
  int64_t seedOfRun() const { return seed; }
  int64_t step() const { return done; }
  State &state();
  const State &state() const;
  /// The state for a call to read, by name: what findOnDevice knows the place of is there, and not fetched for this.
  std::map<std::string, Tensor *> stateArguments();
  void *findOnDevice(const std::string &name) const;
  const RunRecord &record() const { return recorded; }
  RunRecord &record() { return recorded; }
  /// Steps in an epoch.
  int64_t stepsPerEpoch() const;

  /// Goes on from where another run of this training was.
  void restore(int64_t step, State state, RunRecord record);

private:
  class Batches;

  bool advanceOnAllData(int64_t until, std::string &error);
  std::map<std::string, Tensor *> arguments(std::vector<Tensor> &fields, Tensor &key);
  Entry &steps() { return executable.entry(plan.step + "s"); }

  const TrainPlan &plan;
  std::string init;
  Executable &executable;
  LoadedData data;
  int64_t seed;
  unsigned threads; ///< that make batches
  int64_t done = 0;
  /// The state, as far as it is not on the device, and that which is there.
  mutable State modelState;
  std::unique_ptr<DeviceArrays> deviceState;
  mutable enum class Newest { Host, Device, Both } newest = Newest::Host;
  RunRecord recorded;
  std::unique_ptr<Batches> batches;
};

} // namespace nnc

#endif // NNC_DRIVER_TRAINING_H
