// tile.mlir: a schedule for a dense layer. It tiles what follows the product, 8 rows by 16 columns, and computes
// each tile of the product in the same loops. For `nnc compile --bind N=64 --schedule examples/schedules/tile.mlir`
// on a model such as y = relu(x @ w + b); docs/tuning.md tells more.
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%program: !transform.any_op) {
    %layer = transform.structured.match ops{["linalg.generic"]} in %program
        : (!transform.any_op) -> !transform.any_op
    %product, %bias = transform.split_handle %layer
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %tile, %loops:2 = transform.structured.tile_using_for %bias tile_sizes [8, 16]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.structured.fuse_into_containing_op %product into %loops#1
        : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
