import Checkpoints
import ComputeCore

/// Refuses sizes of a text encoder that cannot work, naming the setting.
func checkTextEncoder(
  sizes: [(key: String, value: Int)], hiddenSize: Int, heads: Int
) throws(ConfigError) {
  for (key, value) in sizes + [("hidden_size", hiddenSize), ("num_attention_heads", heads)]
  where !(1...10_000_000).contains(value) {
    throw ConfigError(key, found: "\(value)", expected: "1 to 10000000")
  }
  guard hiddenSize % heads == 0 else {
    throw ConfigError(
      "num_attention_heads", found: "\(heads)", expected: "a divisor of \(hiddenSize)")
  }
}

/// Flattens N lists of T ids each; all must be as long and inside the vocabulary.
func flattened(_ ids: [[Int32]], vocabularySize: Int, limit: Int) -> (ids: [Int32], shape: Shape) {
  let length = ids.first?.count ?? 0
  precondition(
    ids.allSatisfy { $0.count == length } && length <= limit,
    "text encoder: sequences must be of one length, at most \(limit)")
  precondition(
    ids.joined().allSatisfy { (0..<vocabularySize).contains(Int($0)) },
    "text encoder: ids must be below \(vocabularySize); is this the model's own tokenizer?")
  return (Array(ids.joined()), [ids.count, length])
}
