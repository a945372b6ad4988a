import Foundation

/// The nodes of a ComfyUI picture: what its `prompt` text holds.
///
/// Source: ComfyUI `execution.py` (a link is a list of a node's id and the number of one of its
/// outputs).
struct ComfyUIGraph {
  /// One node.
  struct Node: Decodable, Equatable {
    /// Its class, such as `KSampler`.
    let kind: String
    /// Values and links by name.
    let inputs: [String: Input]

    private enum CodingKeys: String, CodingKey {
      case inputs
      case kind = "class_type"
    }
  }

  /// What a node is given.
  enum Input: Decodable, Equatable {
    /// The output of another node.
    case link(String)
    case text(String)
    case whole(UInt64)
    case number(Double)
    /// What no setting that we read is made of.
    case other

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if (try? value.decode(Bool.self)) != nil {
        self = .other
      } else if let text = try? value.decode(String.self) {
        self = .text(text)
      } else if let whole = try? value.decode(UInt64.self) {
        self = .whole(whole)
      } else if let number = try? value.decode(Double.self) {
        self = .number(number)
      } else if let list = try? value.decode([Input].self), list.count == 2,
        case .text(let id) = list[0], case .whole = list[1]
      {
        self = .link(id)
      } else {
        self = .other
      }
    }

    /// The value as a text, `nil` for a link and for what we do not read.
    var words: String? {
      switch self {
      case .text(let text): text
      case .whole(let value): "\(value)"
      case .number(let value): Int(exactly: value).map(String.init) ?? "\(value)"
      case .link, .other: nil
      }
    }
  }

  /// Nodes by their ids.
  let nodes: [String: Node]

  /// Reads the JSON.
  ///
  /// - Throws: `MetadataError.graph` when it is none, or no object of nodes.
  init(parsing text: String) throws(MetadataError) {
    let decoder = JSONDecoder()
    // Python writes NaN, which JSON does not have.
    decoder.allowsJSON5 = true
    do {
      nodes = try decoder.decode([String: Node].self, from: Data(text.utf8))
    } catch let error as DecodingError {
      throw .graph(error.words)
    } catch {
      throw .graph(error.localizedDescription)
    }
  }

  /// The id of the node that an input comes from.
  func source(_ id: String, _ input: String) -> String? {
    guard case .link(let source)? = nodes[id]?.inputs[input], nodes[source] != nil else {
      return nil
    }
    return source
  }

  /// The value of an input; that of a node that only holds a value counts as its own.
  func value(_ id: String, _ input: String) -> String? {
    var (id, input) = (id, input)
    for _ in 0..<16 {
      guard let found = nodes[id]?.inputs[input] else { return nil }
      guard case .link(let source) = found else { return found.words }
      let names = [input, "value", "text", "string", "seed", "int", "float"]
      guard let name = names.first(where: { nodes[source]?.inputs[$0] != nil }) else { return nil }
      (id, input) = (source, name)
    }
    return nil
  }
}
