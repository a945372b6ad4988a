import Checkpoints
import Foundation

/// What peft's settings say about the scale of adapters.
///
/// Source: peft `tuners/lora/config.py`, `LoraConfig`, and `utils/other.py`, `get_pattern_key`.
struct AdapterConfig {
  private static let sizeLimit = 16 << 20
  private let file: String
  private let alpha: Float?
  private let rank: Int?
  /// Names of modules, or endings of them, with an alpha of their own.
  private let alphaPatterns: [String: Float]
  /// The same for ranks.
  private let rankPatterns: [String: Float]
  private let dividesByRoot: Bool
  /// Whether the adapters keep lengths apart from directions.
  let usesMagnitudes: Bool

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
    // LoHa and LoKr call it alpha.
    var alpha: Float?
    for key in ["lora_alpha", "alpha"] {
      guard let value = members[key], value != .null else { continue }
      alpha = try AdapterConfig.number(value, key, file)
      break
    }
    var rank: Int?
    if let value = members["r"], value != .null {
      rank = Int(exactly: try AdapterConfig.number(value, "r", file))
      guard let rank, rank > 0 else {
        throw .invalidValue(file: file, key: "r", found: "\(value)", expected: "1 or more")
      }
    }
    self.alpha = alpha
    self.rank = rank
    alphaPatterns = try AdapterConfig.patterns("alpha_pattern", in: members, file)
    rankPatterns = try AdapterConfig.patterns("rank_pattern", in: members, file)
    dividesByRoot = members["use_rslora"] == .boolean(true)
    usesMagnitudes = members["use_dora"] == .boolean(true)
  }

  /// Numbers of single modules by their names, without the `^` that anchors them.
  private static func patterns(
    _ key: String, in members: [String: ConfigValue], _ file: String
  ) throws(LoRAError) -> [String: Float] {
    guard case .object(let given)? = members[key] else { return [:] }
    var patterns: [String: Float] = [:]
    for (pattern, value) in given {
      let name = (pattern.hasPrefix("^") ? String(pattern.dropFirst()) : pattern)
        .replacing("\\.", with: ".")
      guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "._".contains($0)) })
      else {
        throw .invalidValue(
          file: file, key: key, found: "\"\(pattern)\"",
          expected: "names of modules, not regular expressions")
      }
      patterns[name] = try number(value, key, file)
    }
    return patterns
  }

  /// The alpha of a module whose scale is `alpha / rank`; `nil` when the settings have none.
  ///
  /// Rank-stabilised adapters have the scale `alpha / √rank` (arXiv:2312.03732).
  ///
  /// - Parameters:
  ///   - module: its path.
  ///   - rank: the rank of its tensors, or what `rank(of:)` gives where they show none.
  /// - Returns: the alpha.
  func alpha(of module: String, rank: Int) -> Float? {
    guard let alpha = AdapterConfig.match(module, alphaPatterns) ?? alpha else { return nil }
    return dividesByRoot ? alpha * Float(rank).squareRoot() : alpha
  }

  /// The rank that the settings give a module; `nil` when they have none.
  func rank(of module: String) -> Int? {
    AdapterConfig.match(module, rankPatterns).flatMap { Int(exactly: $0) } ?? rank
  }

  private static func match(_ module: String, _ patterns: [String: Float]) -> Float? {
    patterns.keys.sorted().first { module == $0 || module.hasSuffix("." + $0) }
      .flatMap { patterns[$0] }
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
