//===- NNOps.td - All ops of the nn dialect ---------------------*- tablegen -*-===//
#ifndef NNC_IR_NNOPS
#define NNC_IR_NNOPS

include "nnc/IR/NNControl.td"
include "nnc/IR/NNCreation.td"
include "nnc/IR/NNElementwise.td"
include "nnc/IR/NNLinear.td"
include "nnc/IR/NNOrder.td"
include "nnc/IR/NNReduction.td"
include "nnc/IR/NNShape.td"
include "nnc/IR/NNWindow.td"

#endif // NNC_IR_NNOPS
