import Foundation
import Pipelines

/// Where pictures go.
extension SampleCommand {
  /// The file of a picture; prompts that would give the name of one in `written` get a number.
  func path(for prompt: String, _ seed: UInt64, notOf written: [String]) throws -> String {
    let stem = "\(fileName(prompt))-\(seed)"
    let folder = out.map { $0 + "/" } ?? ""
    let names = ([""] + (2..<written.count + 3).map { "-\($0)" }).map { "\(stem)\($0).png" }
    let name = names.first { !written.contains(folder + $0) } ?? names[0]
    guard let out else { return name }
    if out.lowercased().hasSuffix(".png") {
      try makeFolder((out as NSString).deletingLastPathComponent)
      return out
    }
    try makeFolder(out)
    return "\(out)/\(name)"
  }

  func gridPath(_ prompts: [String], _ seed: UInt64) throws -> String {
    let name = "\(prompts.count > 1 ? "prompts" : fileName(prompts[0]))-\(seed)-grid.png"
    guard let out else { return name }
    if out.lowercased().hasSuffix(".png") { return String(out.dropLast(4)) + "-grid.png" }
    return "\(out)/\(name)"
  }

  func checkOutput() throws {
    guard let out else { return try OutputLocation.check(folder: "") }
    if count == 1, out.lowercased().hasSuffix(".png") {
      try OutputLocation.check(file: out)
    } else {
      try OutputLocation.check(folder: out)
    }
  }
}

/// "A red apple!" → "a-red-apple", at most 48 letters.
private func fileName(_ prompt: String) -> String {
  let words = prompt.lowercased().split { !$0.isLetter && !$0.isNumber }
  let name = words.joined(separator: "-").prefix(48)
  return name.isEmpty ? "picture" : String(name)
}
