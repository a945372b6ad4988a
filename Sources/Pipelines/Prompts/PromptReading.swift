import Diffusion

/// How prompts become states: which program's rules, and which layer of the text encoder.
public struct PromptReading: Equatable, Sendable {
  /// What brackets in a prompt mean, and what becomes of a prompt that is too long.
  public enum Rule: Sendable {
    /// Every character is text; what is too long is cut off, as in diffusers.
    case literal
    /// AUTOMATIC1111's web UI: `(word)`, `(word:1.3)`, `[word]`, `BREAK`, chunks of 75 tokens.
    case a1111
    /// ComfyUI: `(word)`, `(word:1.3)`, chunks of 75 tokens that keep short words whole.
    case comfyUI
  }

  /// Whose rules are used.
  public var rule: Rule
  /// Which layer's states are used, counted from the last, which is 1, as AUTOMATIC1111's web UI
  /// counts; diffusers' `clip_skip` is one less.
  public var clipSkip: Int

  /// A way to read prompts.
  public init(_ rule: Rule = .literal, clipSkip: Int = 1) {
    (self.rule, self.clipSkip) = (rule, clipSkip)
  }

  /// The rules of the program whose pictures are wanted.
  public init(like likeness: Likeness, clipSkip: Int = 1) {
    let rule: Rule =
      switch likeness {
      case .diffusers: .literal
      case .a1111, .a1111CPU: .a1111
      case .comfyUI: .comfyUI
      }
    self.init(rule, clipSkip: clipSkip)
  }
}
