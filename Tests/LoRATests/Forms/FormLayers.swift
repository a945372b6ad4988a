import Checkpoints
import ComputeCore
import Foundation
import Layers
import LoRA
import TestSupport
import Testing

/// The layers that scripts/fixtures/lora_forms.py made adapters for.
final class FormLayers: Module {
  let lin = Linear(12, 8)
  let square = Linear(8, 8, bias: false)
  let point = Linear(6, 8, isPointwise: true)
  let conv = Conv2d(4, 6, kernelSize: 3, stride: 2, padding: 1)
  let groupNorm = GroupNorm(6, groups: 2, eps: 1e-5)
  let layerNorm = LayerNorm(8)

  /// The layers with the fixture's weights.
  init(isFrozen: Bool = false) throws {
    if isFrozen { freeze() }
    let file = try SafetensorsFile(fixturePath("forms/base.safetensors"))
    for (key, parameter) in namedParameters() {
      parameter.value = parameter.fromCheckpoint(try file.tensor(key))
    }
  }

  /// The output of every layer for the fixture's inputs.
  func outputs() throws -> [String: Tensor] {
    let file = try SafetensorsFile(fixturePath("forms/base.safetensors"))
    func x(_ name: String) throws -> Tensor { try file.tensor("x.\(name)") }
    return [
      "lin": lin(try x("lin")), "square": square(try x("square")), "point": point(try x("point")),
      "conv": conv(try x("conv")), "group_norm": groupNorm(try x("group_norm")),
      "layer_norm": layerNorm(try x("layer_norm")),
    ]
  }

  /// All parameters by their keys.
  func values() -> [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: namedParameters().map { ($0.key, $0.parameter.checkpointValue) })
  }
}

/// A case of the fixture: a file and what peft or LyCORIS makes of it.
struct FormCase: CustomTestStringConvertible, Sendable {
  let name: String
  let dialect: String
  let form: String
  let strengths: [Double]

  var testDescription: String { name }

  var path: String {
    fixturePath(dialect == "PEFT" ? "forms/\(name)/adapter_model" : "forms/\(name)")
      + ".safetensors"
  }

  /// All cases.
  static let all: [FormCase] = {
    guard let file = try? SafetensorsFile(fixturePath("forms/merged.safetensors")),
      let text = file.metadata["cases"],
      let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)),
      let cases = object as? [String: [String: Any]]
    else { return [] }
    return cases.sorted { $0.key < $1.key }.map { name, settings in
      FormCase(
        name: name, dialect: settings["dialect"] as? String ?? "",
        form: settings["form"] as? String ?? "",
        strengths: settings["strengths"] as? [Double] ?? [])
    }
  }()

  /// The parameters that the case changes, by key, at a strength.
  func merged(_ strength: Double) throws -> [String: Tensor] {
    let file = try SafetensorsFile(fixturePath("forms/merged.safetensors"))
    let prefix = "\(name).\(strength)."
    var found: [String: Tensor] = [:]
    for key in file.keys where key.hasPrefix(prefix) {
      found[String(key.dropFirst(prefix.count))] = try file.tensor(key)
    }
    return found
  }

  /// The outputs of the layers that the case changes, at strength 1.
  func outputs() throws -> [String: Tensor] {
    let file = try SafetensorsFile(fixturePath("forms/outputs.safetensors"))
    var found: [String: Tensor] = [:]
    for key in file.keys where key.hasPrefix(name + ".") {
      found[String(key.dropFirst(name.count + 1))] = try file.tensor(key)
    }
    return found
  }
}
