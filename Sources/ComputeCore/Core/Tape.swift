import CKernels

/// One recorded operation: what it was computed from and how gradients flow back through it.
final class TapeNode {
  /// Nodes of the inputs, `nil` where an input needs no gradient.
  private(set) var inputs: [TapeNode?]
  /// Turns the gradient by the result into gradients by the inputs; `nil` for a variable.
  fileprivate(set) var vjp: ((Tensor) -> [Tensor?])?
  /// The same, made of recorded operations; `nil` where nobody has written that down.
  fileprivate(set) var recordedVJP: RecordedVJP?
  /// The function that computed it.
  fileprivate let function: StaticString
  /// What the profile calls it; `nil` when nothing is profiled.
  fileprivate let operation: String?

  init(
    inputs: [TapeNode?], function: StaticString = "asVariable", operation: String? = nil,
    recordedVJP: RecordedVJP? = nil, vjp: ((Tensor) -> [Tensor?])?
  ) {
    self.inputs = inputs
    self.function = function
    self.operation = operation
    self.recordedVJP = recordedVJP
    self.vjp = vjp
  }

  /// Lets go of what only this node kept, one by one: a long tape would overflow the stack.
  deinit {
    var pending = cut()
    while var node = pending.popLast() {
      if isKnownUniquelyReferenced(&node) { pending += node.cut() }
    }
  }

  /// Lets go of the closure, and hands over the nodes of the inputs.
  private func cut() -> [TapeNode] {
    defer { (inputs, vjp, recordedVJP) = ([], nil, nil) }
    return inputs.compactMap(\.self)
  }

  /// Lets go of what the gradient needs, once it has been computed.
  fileprivate func release() { (vjp, recordedVJP) = (nil, nil) }
}

/// A vector-Jacobian product whose operations can be recorded: the gradient by a result and which
/// inputs' gradients are wanted → one optional gradient per input.
package typealias RecordedVJP = (_ dy: Tensor, _ wanted: [Bool]) -> [Tensor?]

extension Tensor {
  /// Whether a gradient by this tensor can be asked for.
  public var isRecorded: Bool { node != nil }

  /// The same numbers as a starting point for gradients.
  public func asVariable() -> Tensor {
    Tensor(
      shape: shape, dtype: dtype, storage: storage, node: TapeNode(inputs: [], vjp: nil))
  }

  /// The same numbers, cut off from how they were computed.
  public func detached() -> Tensor {
    Tensor(shape: shape, dtype: dtype, storage: storage, node: nil)
  }

  /// Notes that this tensor was computed from `inputs`, unless none of them needs a gradient.
  ///
  /// - Parameters:
  ///   - inputs: the tensors that went in.
  ///   - operation: the function that computed it, for the profile; `nil` when what its gradient
  ///     calls is to be profiled instead.
  ///   - function: the same, to be named when its gradient cannot be differentiated again.
  ///   - recordedVJP: the vector-Jacobian product as a function of recorded operations on `inputs`,
  ///     for gradients of gradients; `nil` where there are none.
  ///   - vjp: the vector-Jacobian product: the gradient by this tensor (its shape) → one optional
  ///     gradient per input, in order; `nil` where an input is not differentiable or not recorded.
  /// - Returns: this tensor with the note.
  package func recorded(
    from inputs: [Tensor], operation: StaticString? = #function,
    function: StaticString = #function, recordedVJP: RecordedVJP? = nil,
    vjp: @escaping (_ dy: Tensor) -> [Tensor?]
  ) -> Tensor {
    guard inputs.contains(where: { $0.node != nil }), Compute.current.isRecording else {
      return self
    }
    let name = Profile.shared.flatMap { profile in operation.map(profile.nameOfRecording) }
    return Tensor(
      shape: shape, dtype: dtype, storage: storage,
      node: TapeNode(
        inputs: inputs.map(\.node), function: function, operation: name, recordedVJP: recordedVJP,
        vjp: vjp))
  }

  /// The same with one vector-Jacobian product for both, made of recorded operations on `inputs`.
  package func recorded(
    from inputs: [Tensor], operation: StaticString? = #function,
    function: StaticString = #function, differentiableVJP: @escaping RecordedVJP
  ) -> Tensor {
    let wanted = inputs.map(\.isRecorded)
    return recorded(
      from: inputs, operation: operation, function: function, recordedVJP: differentiableVJP
    ) { dy in differentiableVJP(dy, wanted) }
  }
}

/// Gradients of one number, or of one tensor weighted by a seed, by the variables it came from.
public struct Gradients {
  /// Holds the nodes too, so that no new variable gets the address of an old one.
  private let byNode: [ObjectIdentifier: (node: TapeNode, gradient: Tensor)]

  fileprivate init(_ byNode: [ObjectIdentifier: (node: TapeNode, gradient: Tensor)]) {
    self.byNode = byNode
  }

  /// Whether every gradient is by one of `variables`.
  func areOnly(by variables: [Tensor]) -> Bool {
    let known = Set(variables.compactMap { $0.node.map(ObjectIdentifier.init) })
    return byNode.keys.allSatisfy(known.contains)
  }

  /// The gradient by `variable`, or `nil` when the result does not depend on it.
  public subscript(variable: Tensor) -> Tensor? {
    variable.node.flatMap { byNode[ObjectIdentifier($0)]?.gradient }
  }
}

/// Runs the tape backwards from `y`.
///
/// Each recorded operation lets go of what it saved once it has been passed, so one tape can be
/// run once.
///
/// - Parameters:
///   - y: the result; any shape.
///   - seed: the gradient to start with, of `y`'s shape; ones when left out.
/// - Returns: gradients by every variable that `y` depends on.
public func gradients(of y: Tensor, seed: Tensor? = nil) -> Gradients {
  gradients(of: y, seed: seed, stoppingAt: [])
}

/// The same, going no further than `leaves`, which count as variables.
func gradients(of y: Tensor, seed: Tensor?, stoppingAt leaves: [Tensor]) -> Gradients {
  guard let root = y.node else { return Gradients([:]) }
  precondition(
    seed == nil || seed?.shape == y.shape, "gradients: the seed must have the shape \(y.shape)")
  let ends = Set(leaves.compactMap { $0.node.map(ObjectIdentifier.init) })
  var byNode = [ObjectIdentifier(root): (node: root, gradient: seed?.detached() ?? .ones(y.shape))]
  Compute.withoutRecording {
    for node in reverseTopologicalOrder(from: root, stoppingAt: ends) {
      let key = ObjectIdentifier(node)
      guard !node.inputs.isEmpty, !ends.contains(key),
        let dy = byNode.removeValue(forKey: key)?.gradient
      else { continue }
      guard let vjp = node.vjp else {
        preconditionFailure("gradients: this tape was run before; compute the result once more")
      }
      let span = node.operation.flatMap { Profile.shared?.begin($0, .backward) }
      let inputGradients = vjp(dy)
      span?.end()
      node.release()
      precondition(inputGradients.count == node.inputs.count, "a VJP must return one per input")
      for (input, dx) in zip(node.inputs, inputGradients) {
        guard let input, let dx else { continue }
        let key = ObjectIdentifier(input)
        byNode[key] = (input, byNode[key].map { sum($0.gradient, dx) } ?? dx)
      }
    }
  }
  return Gradients(byNode)
}

/// Gradients of one number, or of one tensor weighted by a seed, that are recorded themselves, so
/// that gradients of what is computed from them can be asked for (torch's `create_graph=True`).
///
/// The tape stays as it is and can be run once more.
///
/// - Parameters:
///   - y: the result; any shape. Every operation between it and `variables` must have a gradient
///     made of recorded operations: convolutions, linear layers, products of matrices, arithmetic,
///     sums, pooling and resizing, reordering, and the simple activations do.
///   - seed: the gradient to start with, of `y`'s shape; ones when left out.
///   - variables: what to differentiate by; only paths to these are followed.
/// - Returns: for each of `variables` the gradient, or `nil` when `y` does not depend on it.
public func recordedGradients(of y: Tensor, seed: Tensor? = nil, by variables: [Tensor])
  -> [Tensor?]
{
  precondition(
    seed == nil || seed?.shape == y.shape, "gradients: the seed must have the shape \(y.shape)")
  let ends = Set(variables.compactMap { $0.node.map(ObjectIdentifier.init) })
  guard let root = y.node else { return variables.map { _ in nil } }
  let order = reverseTopologicalOrder(from: root, stoppingAt: ends)
  var needed = ends
  for node in order.reversed() where node.inputs.contains(where: { needed.contains($0) }) {
    needed.insert(ObjectIdentifier(node))
  }
  var byNode = [ObjectIdentifier(root): seed ?? .ones(y.shape)]
  for node in order where needed.contains(node) && !ends.contains(ObjectIdentifier(node)) {
    guard let dy = byNode.removeValue(forKey: ObjectIdentifier(node)) else { continue }
    guard let vjp = node.recordedVJP else {
      preconditionFailure("recordedGradients: the gradient of \(node.function) is not recorded")
    }
    for (input, dx) in zip(node.inputs, vjp(dy, node.inputs.map { needed.contains($0) })) {
      guard let input, let dx, needed.contains(input) else { continue }
      let key = ObjectIdentifier(input)
      byNode[key] = byNode[key].map { $0 + dx } ?? dx
    }
  }
  return variables.map { $0.node.flatMap { byNode[ObjectIdentifier($0)] } }
}

extension Set<ObjectIdentifier> {
  fileprivate func contains(_ node: TapeNode?) -> Bool {
    node.map { contains(ObjectIdentifier($0)) } ?? false
  }
}

/// Every node above `root`, each after all nodes that were computed from it.
private func reverseTopologicalOrder(
  from root: TapeNode, stoppingAt ends: Set<ObjectIdentifier>
) -> [TapeNode] {
  var order: [TapeNode] = []
  var visited: Set<ObjectIdentifier> = [ObjectIdentifier(root)]
  var stack: [(node: TapeNode, nextInput: Int)] = [(root, 0)]
  while let (node, nextInput) = stack.last {
    guard nextInput < node.inputs.count, !ends.contains(ObjectIdentifier(node)) else {
      order.append(node)
      stack.removeLast()
      continue
    }
    stack[stack.count - 1].nextInput += 1
    if let input = node.inputs[nextInput], visited.insert(ObjectIdentifier(input)).inserted {
      stack.append((input, 0))
    }
  }
  return order.reversed()
}

/// The sum of two gradients of either type, as `float32`.
private func sum(_ a: Tensor, _ b: Tensor) -> Tensor {
  let span = Profile.shared?.begin("sum of gradients", .backward)
  defer { span?.end() }
  precondition(a.shape == b.shape, "gradients of shapes \(a.shape) and \(b.shape) meet")
  if a.dtype == .bfloat16 && b.dtype == .float32 { return sum(b, a) }
  let (y, first) = (Tensor(uninitialized: a.shape), a.cast(to: .float32))
  parallelChunks(y.count) { range in
    let start = range.lowerBound
    switch b.dtype {
    case .float32:
      ck_add_f32(y.pointer + start, first.pointer + start, b.pointer + start, range.count)
    case .bfloat16:
      ck_add_bf16(y.pointer + start, first.pointer + start, b.bfloat16Pointer + start, range.count)
    }
  }
  return y
}
