import Checkpoints
import ComputeCore
import Foundation
import Layers
import TestSupport
import Testing

/// A folder of scripts/fixtures/models.py: a model with inputs, outputs and gradients.
struct ModelFixture {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures").path

  let name: String
  let path: String
  let io: SafetensorsFile

  init(_ name: String) throws {
    self.name = name
    path = "\(ModelFixture.folder)/\(name)"
    io = try SafetensorsFile(path + "/io.safetensors")
  }

  func tensor(_ key: String) throws -> Tensor { try io.tensor(key) }

  func optionalTensor(_ key: String) throws -> Tensor? {
    io.shape(of: key) == nil ? nil : try io.tensor(key)
  }

  /// Ids stored as `[N, T]`, as N lists.
  func ids(_ key: String) throws -> [[Int32]] {
    let length = try #require(io.shape(of: key))[1]
    let flat = try io.int32s(key)
    return stride(from: 0, to: flat.count, by: length).map { Array(flat[$0..<$0 + length]) }
  }

  /// Compares gradients by a model's parameters with those of the reference.
  ///
  /// The tolerance allows for 32-bit sums; torch's own 32-bit gradients are off by up to 1.2e-4.
  func expectGradients(
    _ found: Gradients, of model: some Module, tolerance: Double = 3e-4,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let file = try SafetensorsFile(path + "/grads.safetensors")
    let parameters = Dictionary(
      model.namedParameters().map { ($0.key, $0.parameter) },
      uniquingKeysWith: { first, _ in first })
    let keys = file.keys
    #expect(!keys.isEmpty)
    for key in keys {
      let parameter = try #require(parameters[String(key.dropFirst("grad.".count))])
      guard let gradient = found[parameter.value] else {
        Issue.record("\(name): no \(key)", sourceLocation: sourceLocation)
        continue
      }
      expectClose(
        gradient, parameter.fromCheckpoint(try file.tensor(key)), tolerance: tolerance,
        floor: 1e-2, "\(name) \(key)", sourceLocation: sourceLocation)
    }
  }
}
