import CKernels

/// One recorded operation: what it was computed from and how gradients flow back through it.
final class TapeNode {
  /// Nodes of the inputs, `nil` where an input needs no gradient.
  private(set) var inputs: [TapeNode?]
  /// Turns the gradient by the result into gradients by the inputs; `nil` for a variable.
  fileprivate(set) var vjp: ((Tensor) -> [Tensor?])?
  /// What the profile calls it; `nil` when nothing is profiled.
  fileprivate let operation: String?

  init(inputs: [TapeNode?], vjp: ((Tensor) -> [Tensor?])?, operation: String? = nil) {
    self.inputs = inputs
    self.vjp = vjp
    self.operation = operation
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
    defer { (inputs, vjp) = ([], nil) }
    return inputs.compactMap(\.self)
  }
}

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
  ///   - vjp: the vector-Jacobian product: the gradient by this tensor (its shape) → one optional
  ///     gradient per input, in order; `nil` where an input is not differentiable or not recorded.
  /// - Returns: this tensor with the note.
  package func recorded(
    from inputs: [Tensor], operation: StaticString? = #function,
    vjp: @escaping (_ dy: Tensor) -> [Tensor?]
  ) -> Tensor {
    guard inputs.contains(where: { $0.node != nil }), Compute.current.isRecording else {
      return self
    }
    let name = Profile.shared.flatMap { profile in operation.map(profile.nameOfRecording) }
    return Tensor(
      shape: shape, dtype: dtype, storage: storage,
      node: TapeNode(inputs: inputs.map(\.node), vjp: vjp, operation: name))
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
      node.vjp = nil
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
