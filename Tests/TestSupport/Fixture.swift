import Checkpoints
import ComputeCore
import Foundation
import Testing

/// Values that a committed script in scripts/fixtures wrote: a safetensors file whose metadata
/// lists the cases with their parameters.
package struct Fixture {
  /// One case: tensors under a common name.
  package struct Case {
    /// What its keys begin with.
    package let name: String
    private let parameters: [String: Any]
    private let file: SafetensorsFile

    fileprivate init(name: String, parameters: [String: Any], file: SafetensorsFile) {
      self.name = name
      self.parameters = parameters
      self.file = file
    }

    /// The tensor `<case>.<key>`.
    package func tensor(_ key: String) throws -> Tensor { try file.tensor("\(name).\(key)") }

    /// The integers `<case>.<key>`.
    package func integers(_ key: String) throws -> [Int32] { try file.int32s("\(name).\(key)") }

    /// The shape of `<case>.<key>`, `nil` when there is none.
    package func shape(_ key: String) -> Shape? { file.shape(of: "\(name).\(key)") }

    /// Whether there is a tensor `<case>.<key>`.
    package func has(_ key: String) -> Bool { shape(key) != nil }

    /// A parameter of the case.
    package func parameter<T>(_ key: String, as type: T.Type = T.self) throws -> T {
      try #require(parameters[key] as? T, "case \(name) has no \(T.self) \(key)")
    }

    /// A parameter of the case that is an integer, `otherwise` when it has none of that name.
    package func int(_ key: String, otherwise: Int = 0) -> Int {
      parameters[key] as? Int ?? otherwise
    }

    /// A parameter of the case that is a number.
    package func float(_ key: String) throws -> Float { Float(try parameter(key, as: Double.self)) }
  }

  /// All cases, sorted by name.
  package let cases: [Case]

  /// Opens `Fixtures/<name>.safetensors` of the test target that `testFile` belongs to.
  package init(_ name: String, testFile: String = #filePath) throws {
    var folder = URL(fileURLWithPath: testFile).deletingLastPathComponent()
    while !folder.lastPathComponent.hasSuffix("Tests"), folder.path != "/" {
      folder.deleteLastPathComponent()
    }
    let file = try SafetensorsFile(folder.path + "/Fixtures/\(name).safetensors")
    let text = try #require(file.metadata["cases"], "\(name): the metadata lists no cases")
    let parsed = try JSONSerialization.jsonObject(with: Data(text.utf8))
    let parameters = try #require(parsed as? [String: [String: Any]])
    cases = parameters.keys.sorted().map {
      Case(name: $0, parameters: parameters[$0] ?? [:], file: file)
    }
  }
}

/// Expects a function of a case's tensors to give the stored values and gradients.
///
/// - Parameters:
///   - item: has `y`, `dy`, the inputs and for each of them `d_<input>`.
///   - inputs: keys of the inputs.
///   - tolerance: relative to the largest magnitude.
///   - gradientTolerance: the same for gradients; `tolerance` when left out.
///   - floor: the magnitude is taken to be at least this.
///   - sourceLocation: where a failure is reported.
///   - arrange: brings an input, and its gradient, into the layout of the function.
///   - function: takes the inputs in the order of their keys.
/// - Throws: what reading the fixture or `function` throws.
package func expectMatch(
  _ item: Fixture.Case, inputs: [String], tolerance: Double = 2e-6,
  gradientTolerance: Double? = nil, floor: Double = 1e-2,
  sourceLocation: SourceLocation = #_sourceLocation,
  arrange: (_ key: String, Tensor) -> Tensor = { $1 }, _ function: ([Tensor]) throws -> Tensor
) throws {
  let variables = try inputs.map { arrange($0, try item.tensor($0)).asVariable() }
  let y = try function(variables)
  let expected = try item.tensor("y")
  let isScalar = y.shape.isEmpty  // stored as [1]
  expectClose(
    isScalar ? y.reshaped([1]) : y, expected, tolerance: tolerance, floor: floor, "\(item.name).y",
    sourceLocation: sourceLocation)
  let found = gradients(of: y, seed: try item.tensor("dy").reshaped(y.shape))
  for (key, variable) in zip(inputs, variables) {
    guard let gradient = found[variable] else {
      Issue.record("\(item.name): no gradient by \(key)", sourceLocation: sourceLocation)
      continue
    }
    expectClose(
      gradient, arrange(key, try item.tensor("d_\(key)")),
      tolerance: gradientTolerance ?? tolerance, floor: floor, "\(item.name).d_\(key)",
      sourceLocation: sourceLocation)
  }
}
