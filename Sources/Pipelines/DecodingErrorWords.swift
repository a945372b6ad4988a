extension DecodingError {
  /// What is wrong, in one line: `no "guidance_scale"`, `"steps": Expected to decode Int but …`.
  package var words: String {
    switch self {
    case .keyNotFound(let key, _): "no \"\(snakeCase(key.stringValue))\""
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      context.codingPath.last.map {
        "\"\(snakeCase($0.stringValue))\": \(context.debugDescription)"
      }
        ?? context.debugDescription
    @unknown default: "\(self)"
    }
  }
}

/// `guidanceScale` → `guidance_scale`.
private func snakeCase(_ name: String) -> String {
  name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
}
