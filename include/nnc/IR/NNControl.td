//===- NNControl.td - Loops and differentiation -----------------*- tablegen -*-===//
#ifndef NNC_IR_NNCONTROL
#define NNC_IR_NNCONTROL

include "nnc/IR/NNBase.td"

def NN_ScanOp : NN_Op<"scan", "Control", [AttrSizedOperandSegments, RecursiveMemoryEffects,
                                          SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "a loop with carried values";
  let description = [{
    Runs the body `count` times, in order, or from the last to the first if `reverse`. The body's
    arguments are the iteration's number (an i64 scalar), the carried values, and for each of
    `sequences` its slice along the first axis at that number. It yields the next carried values,
    then values to collect. The results are the last carried values, then each collected value
    stacked along a new first axis at the iteration's number. Values from outside may be used in the
    body. The language writes it as `repeat`.

    C1. There are as many yielded values as carried values and collected results together.
    C2. Each carried value keeps its type.
    C3. The first dimension of each sequence is `count`.
  }];
  let arguments = (ins NN_Dim:$count, DefaultValuedAttr<BoolAttr, "false">:$reverse,
                       Variadic<NN_Tensor>:$inits, Variadic<NN_Tensor>:$sequences);
  let results = (outs Variadic<NN_Tensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    attr-dict-with-keyword `init` `(` ($inits^ `:` type($inits))? `)`
    `over` `(` ($sequences^ `:` type($sequences))? `)` (`->` type($results)^)? $body
  }];
  let extraClassDeclaration = [{
    unsigned getNumCarried() { return getInits().size(); }
    unsigned getNumCollected() { return getNumResults() - getNumCarried(); }
    mlir::BlockArgument getIndex() { return getBody().getArgument(0); }
    mlir::Block::BlockArgListType getCarriedArguments() {
      return getBody().getArguments().slice(1, getNumCarried());
    }
    mlir::Block::BlockArgListType getSliceArguments() {
      return getBody().getArguments().drop_front(1 + getNumCarried());
    }
    YieldOp getYield();
  }];
  let builders = [OpBuilder<(ins "nnc::Dim":$count, "bool":$reverse, "mlir::ValueRange":$inits,
                                 "mlir::ValueRange":$sequences, "mlir::TypeRange":$resultTypes)>];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def NN_YieldOp : NN_Op<"yield", "Control", [Pure, Terminator, ReturnLike, ParentOneOf<["ScanOp"]>]> {
  let summary = "the values of an iteration";
  let description = "Ends the body of a scan: the next carried values, then the collected values.";
  let arguments = (ins Variadic<NN_Tensor>:$values);
  let builders = [OpBuilder<(ins), [{ (void)$_state; }]>, OpBuilder<(ins "mlir::ValueRange":$values), [{
    $_state.addOperands(values);
  }]>];
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
  let nnDifferentiable = 0;
}

def NN_GradOp : NN_Op<"grad", "Control", [Pure]> {
  let summary = "derivatives of a scalar";
  let description = [{
    The derivative of the scalar `loss` with respect to each of `wrt`, with the type of that value.
    The autodiff pass replaces it by the backward graph.
  }];
  let arguments = (ins NN_Tensor:$loss, Variadic<NN_Tensor>:$wrt);
  let results = (outs Variadic<NN_Tensor>:$gradients);
  let builders = [OpBuilder<(ins "mlir::Value":$loss, "mlir::ValueRange":$wrt), [{
    $_state.addOperands(loss);
    $_state.addOperands(wrt);
    $_state.addTypes(wrt.getTypes());
  }]>];
  let nnDifferentiable = 0;
  let hasVerifier = 1;
}

#endif // NNC_IR_NNCONTROL
