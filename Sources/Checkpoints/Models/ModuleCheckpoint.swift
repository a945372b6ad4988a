import ComputeCore
import Layers

extension Module {
  /// Fills every parameter and buffer from the tensors of a checkpoint.
  ///
  /// Nothing is changed unless every key and shape matches. Trailing axes of length 1 are allowed
  /// to differ, because a 1×1 convolution and a linear layer are the same map. Weights that are
  /// frozen already are read when they are used first, and again when they are needed in another
  /// form: they take no memory beside their packed form.
  ///
  /// - Parameters:
  ///   - source: F64, F32, F16 and BF16 are read, stored as 32-bit numbers.
  ///   - keyMap: the dialect of its names.
  /// - Throws: `CheckpointError.mismatch` with all keys that do not fit, or a reading error.
  public func load(
    from source: some TensorSource, keyMap: KeyMap = .identity
  ) throws(CheckpointError) {
    var fileKeys: [String: String] = [:]
    for fileKey in source.keys {
      guard let key = keyMap(fileKey) else { continue }
      if let other = fileKeys.updateValue(fileKey, forKey: key) {
        throw .malformed(
          file: source.path, found: "\"\(other)\" and \"\(fileKey)\"",
          expected: "one tensor for \"\(key)\"")
      }
    }
    let parameters = namedParameters()
    try checkFit(parameters, fileKeys, source)
    var loaded: [(parameter: Parameter, value: Tensor)] = []
    for (key, parameter) in parameters {
      guard let fileKey = fileKeys[key] else { continue }
      if parameter.isFrozen && parameter.count >= 1 << 14 {
        loaded.append((parameter, try readable(parameter, fileKey, source)))
      } else {
        loaded.append((parameter, parameter.fromCheckpoint(try source.tensor(fileKey))))
      }
    }
    for (parameter, value) in loaded { parameter.value = value }
  }

  /// A value that is read on use; whether it can be is found out now.
  private func readable(
    _ parameter: Parameter, _ key: String, _ source: some TensorSource
  ) throws(CheckpointError) -> Tensor {
    guard source.dtype(of: key)?.isFloatingPoint == true else {
      return parameter.fromCheckpoint(try source.tensor(key))
    }
    let (shape, layout) = (parameter.shape, parameter.layout)
    return Tensor(reading: shape) {
      do throws(CheckpointError) {
        return layout.inMemory(try source.tensor(key), shape)
      } catch {
        preconditionFailure("\(source.path) changed while it was in use: \(error)")
      }
    }
  }

  private func checkFit(
    _ parameters: [(key: String, parameter: Parameter)], _ fileKeys: [String: String],
    _ source: some TensorSource
  ) throws(CheckpointError) {
    let expected = Set(parameters.map(\.key))
    let missing = parameters.map(\.key).filter { fileKeys[$0] == nil }
    let unexpected = fileKeys.filter { !expected.contains($0.key) }.map(\.value).sorted()
    var wrongShapes: [CheckpointError.ShapeMismatch] = []
    for (key, parameter) in parameters {
      guard let fileKey = fileKeys[key], let found = source.shape(of: fileKey) else { continue }
      if !isSameMap(found, parameter.checkpointShape) {
        wrongShapes.append(
          .init(key: key, found: found, expected: parameter.checkpointShape))
      }
    }
    guard missing.isEmpty, unexpected.isEmpty, wrongShapes.isEmpty else {
      throw .mismatch(
        file: source.path, missing: missing, unexpected: unexpected, wrongShapes: wrongShapes)
    }
  }

  /// Writes every parameter and buffer to a safetensors file, in the layout of checkpoints.
  ///
  /// - Throws: `CheckpointError.unwritable`.
  public func save(
    to path: String, as precision: SafetensorsEntry.Precision = .f32,
    metadata: [String: String] = ["format": "pt"]
  ) throws(CheckpointError) {
    let entries = namedParameters().map { key, parameter in
      SafetensorsEntry(key, shape: parameter.checkpointShape, as: precision) {
        parameter.checkpointValue
      }
    }
    try SafetensorsWriter.write(entries, metadata: metadata, to: path)
  }
}

/// Whether two weight shapes differ at most by a 1×1 kernel's axes.
private func isSameMap(_ a: Shape, _ b: Shape) -> Bool {
  a == b || (a.count == 2 && b == a + [1, 1]) || (b.count == 2 && a == b + [1, 1])
}
