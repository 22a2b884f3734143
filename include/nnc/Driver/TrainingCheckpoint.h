//===- TrainingCheckpoint.h - A training as a file --------------*- C++ -*-===//
//
// A checkpoint holds all that a training after some number of steps is: parameters and states (the
// optimizer's among them) under their own names, the best parameters so far as "best/NAME", what each
// step recorded as "history/NAME" and each evaluation as "validation/NAME", and in its metadata the step, the place in the data, the seed, and what tells one training from another.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_DRIVER_TRAININGCHECKPOINT_H
#define NNC_DRIVER_TRAININGCHECKPOINT_H

#include "nnc/Data/CheckpointStore.h"
#include "nnc/Driver/Training.h"

#include "mlir/IR/BuiltinOps.h"

namespace nnc {

/// A number that differs, in all likelihood, for programs that differ in one of these functions.
std::string fingerprintOf(mlir::ModuleOp module, llvm::ArrayRef<std::string> functions);

/// The same for rows that differ in a value, a type or a shape.
std::string fingerprintOf(const Dataset &rows);

/// What tells trainings from each other that look alike: their functions, and the rows they train on.
struct Fingerprints {
  std::string program, rows;
};

/// `best` are the parameters and states that are kept, or empty.
Safetensors toCheckpoint(const Training &training, const State &best,
                         const Fingerprints &fingerprints);

/// Makes `training`, which is initialized, and `best` go on from the checkpoint. Fails if it is one of another
/// training, in which case they are as they were.
Status restoreCheckpoint(Training &training, State &best, const Checkpoint &checkpoint,
                         const Fingerprints &fingerprints);

} // namespace nnc

#endif // NNC_DRIVER_TRAININGCHECKPOINT_H
