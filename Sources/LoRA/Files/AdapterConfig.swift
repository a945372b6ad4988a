import Checkpoints
import Foundation

/// What peft's settings say about the scale of adapters.
///
/// Source: peft `tuners/lora/config.py`, `LoraConfig`, and `utils/other.py`, `get_pattern_key`.
struct AdapterConfig {
  private static let sizeLimit = 16 << 20
  private let file: String
  private let alpha: Float?
  /// Names of modules, or endings of them, with an alpha of their own.
  private let alphaPatterns: [String: Float]
  private let dividesByRoot: Bool

  /// The settings of one component in the metadata of a file; `nil` when there are none.
  init?(
    metadata: [String: String], component: LoRAComponent, file: String
  ) throws(LoRAError) {
    guard let json = metadata["lora_adapter_metadata"] else { return nil }
    let all = try AdapterConfig.object(Data(json.utf8), file: file)
    let prefix = component.diffusersPrefix
    var members: [String: ConfigValue] = [:]
    for (key, value) in all where key.hasPrefix(prefix) {
      members[String(key.dropFirst(prefix.count))] = value
    }
    if members.isEmpty { return nil }
    try self.init(members, file: file)
  }

  /// The settings in the `adapter_config.json` beside a file.
  init(beside path: String) throws(LoRAError) {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    let file = folder + "adapter_config.json"
    let data: Data
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: file)
      guard let size = attributes[.size] as? Int, size <= AdapterConfig.sizeLimit else {
        throw LoRAError.invalidValue(
          file: file, key: "size", found: "over \(AdapterConfig.sizeLimit) bytes",
          expected: "settings of an adapter")
      }
      data = try Data(contentsOf: URL(fileURLWithPath: file))
    } catch let error as LoRAError {
      throw error
    } catch {
      throw .checkpoint(
        .unreadable(
          file: file, reason: "\(error.localizedDescription); the scale of PEFT's file is in it"))
    }
    try self.init(AdapterConfig.object(data, file: file), file: file)
  }

  private init(_ members: [String: ConfigValue], file: String) throws(LoRAError) {
    self.file = file
    var alpha: Float?
    var patterns: [String: Float] = [:]
    if let value = members["lora_alpha"], value != .null {
      alpha = try AdapterConfig.number(value, "lora_alpha", file)
    }
    if case .object(let given)? = members["alpha_pattern"] {
      for (pattern, value) in given {
        let name = pattern.hasPrefix("^") ? String(pattern.dropFirst()) : pattern
        guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "._".contains($0)) })
        else {
          throw .invalidValue(
            file: file, key: "alpha_pattern", found: "\"\(pattern)\"",
            expected: "names of modules, not regular expressions")
        }
        patterns[name] = try AdapterConfig.number(value, "alpha_pattern", file)
      }
    }
    self.alpha = alpha
    alphaPatterns = patterns
    dividesByRoot = members["use_rslora"] == .boolean(true)
  }

  /// The alpha of a module whose scale is `alpha / rank`; `nil` when the settings have none.
  ///
  /// Rank-stabilised adapters have the scale `alpha / √rank` (arXiv:2312.03732).
  func alpha(of module: String, rank: Int) -> Float? {
    let pattern = alphaPatterns.keys.sorted().first {
      module == $0 || module.hasSuffix("." + $0)
    }
    guard let alpha = pattern.flatMap({ alphaPatterns[$0] }) ?? alpha else { return nil }
    return dividesByRoot ? alpha * Float(rank).squareRoot() : alpha
  }

  private static func number(
    _ value: ConfigValue, _ key: String, _ file: String
  ) throws(LoRAError) -> Float {
    guard case .number(let number) = value, Float(number).isFinite else {
      throw .invalidValue(file: file, key: key, found: "\(value)", expected: "a number")
    }
    return Float(number)
  }

  private static func object(
    _ data: Data, file: String
  ) throws(LoRAError) -> [String: ConfigValue] {
    do {
      return try JSONDecoder().decode([String: ConfigValue].self, from: data)
    } catch {
      throw .invalidValue(
        file: file, key: "adapter settings", found: "something else", expected: "a JSON object")
    }
  }
}
