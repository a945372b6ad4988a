import Checkpoints
import ComputeCore
import Foundation
import Layers

/// The file of scripts/fixtures/layers.py.
struct LayerFixture {
  private let file: SafetensorsFile

  init() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
    file = try SafetensorsFile(folder + "/Fixtures/layers.safetensors")
  }

  func tensor(_ key: String) throws -> Tensor { try file.tensor(key) }

  /// Loads a case's parameters, all of them and no others.
  func load(_ module: some Module, _ name: String) throws {
    let prefix = "\(name).param."
    let strip = KeyMap("case") { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : nil }
    try module.load(from: file, keyMap: strip)
  }
}
