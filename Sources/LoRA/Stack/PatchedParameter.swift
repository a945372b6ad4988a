import Checkpoints
import ComputeCore
import Layers

/// What one adapter adds to a parameter.
enum ParameterPatch: Sendable {
  /// A change of a layer's weight.
  case weight(WeightChange)
  /// A tensor of a file, times a factor.
  case tensor(SafetensorsFile, key: String, scale: Float)

  func change(
    of base: Tensor, layout: Parameter.Layout, strength: Float
  ) throws(CheckpointError) -> Tensor {
    switch self {
    case .weight(let change):
      return try change.change(of: base, layout: layout, strength: strength)
    case .tensor(let file, let key, let scale):
      return try exactly { () throws(CheckpointError) in
        try file.tensor(key).reshaped(base.shape) * (scale * strength)
      }
    }
  }

  /// `base` plus all changes, each of which is a change of `base` itself: the order does not matter
  /// but for rounding.
  static func sum(
    _ base: Tensor, _ patches: [(patch: ParameterPatch, strength: Float)],
    layout: Parameter.Layout
  ) throws(CheckpointError) -> Tensor {
    var total = base
    for (patch, strength) in patches where strength != 0 {
      let change = try patch.change(of: base, layout: layout, strength: strength)
      total = exactly { total + change }
    }
    return total
  }
}

/// A parameter whose value is its own one plus changes from LoRA files.
///
/// A large frozen parameter is put together when it is packed, so that it takes no more memory
/// than without the changes; its own value stays what it was, unread if it was never read.
final class PatchedParameter {
  private let parameter: Parameter
  private let original: Tensor
  private var patches: [(owner: ObjectIdentifier, patch: ParameterPatch)] = []
  private var strengths: [ObjectIdentifier: Float] = [:]

  init(_ parameter: Parameter) {
    self.parameter = parameter
    original = parameter.value.detached()
  }

  /// Whether nothing is left of all changes.
  var isEmpty: Bool { patches.isEmpty }

  func add(_ patch: ParameterPatch, of owner: ObjectIdentifier) {
    patches.append((owner, patch))
  }

  func remove(_ owner: ObjectIdentifier) {
    patches.removeAll { $0.owner == owner }
    strengths[owner] = nil
  }

  func setStrength(_ strength: Float, of owner: ObjectIdentifier) {
    strengths[owner] = strength
  }

  /// Gives the parameter the value that follows from the strengths.
  func update() {
    let active = patches.map { (patch: $0.patch, strength: strengths[$0.owner] ?? 0) }
      .filter { $0.strength != 0 }
    guard !active.isEmpty else {
      parameter.value = original
      return
    }
    let (base, layout) = (SharedTensor(original), parameter.layout)
    let make: @Sendable () -> Tensor = {
      do throws(CheckpointError) {
        return try ParameterPatch.sum(base.tensor.forPacking, active, layout: layout)
      } catch {
        preconditionFailure("a LoRA file changed while it was in use: \(error)")
      }
    }
    let isLarge = parameter.isFrozen && parameter.count >= 1 << 14
    parameter.value = isLarge ? Tensor(reading: parameter.shape, make) : make()
  }
}

/// A tensor for use on any thread, which is safe because tensors do not change.
private struct SharedTensor: @unchecked Sendable {
  let tensor: Tensor

  init(_ tensor: Tensor) {
    self.tensor = tensor
  }
}
