//===- TrainingCheckpoint.h - A training as a file --------------*- C++ -*-===//
//
// A checkpoint holds all that a training after some number of steps is: parameters and states (the
// optimizer's among them) under their own names, what each step recorded as "history/NAME", and in
// its metadata the step, the place in the data, the seed, and what tells one training from another.
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

/// `program` is the fingerprint of the training's functions.
Safetensors toCheckpoint(const Training &training, const std::string &program);

/// Makes `training`, which is initialized, go on from the checkpoint. Fails if it is one of another
/// training, in which case `training` is as it was.
Status restoreCheckpoint(Training &training, const Checkpoint &checkpoint,
                         const std::string &program);

} // namespace nnc

#endif // NNC_DRIVER_TRAININGCHECKPOINT_H
