import Diffusion
import ImageIO

/// What to draw, and how.
public struct GenerationRequest: Sendable {
  /// One text per picture.
  public var prompts: [String]
  /// What the pictures should not be like.
  public var negativePrompt = ""
  /// One seed per picture: picture i of a batch is what seed i gives alone.
  public var seeds: [UInt64]
  /// Steps of the sampler.
  public var steps: Int
  /// The sampler.
  public var sampler: SamplerName
  /// Classifier-free guidance; 1 is none.
  public var guidanceScale: Float
  /// How much contrast of guidance is taken back, 0…1.
  public var guidanceRescale: Float = 0
  /// The program whose pictures are wanted: whose random numbers, noise levels and rules for
  /// prompts.
  public var likeness = Likeness.diffusers
  /// Which layer of the text encoder is used, counted from the last, which is 1.
  public var clipSkip = 1
  /// Width in pixels.
  public var width: Int
  /// Height in pixels.
  public var height: Int

  /// A picture to begin from, in place of nothing but noise.
  public var initial: InitialPicture?

  /// A second pass that enlarges the picture; `width` and `height` are those of the first.
  public var hires: HiresPass?

  /// Whether the negative prompt plays a role: not at a guidance of 1, and in diffusers not below it
  /// either, where models of one step (SD-Turbo) are run with 0.
  ///
  /// Source: `pipeline_stable_diffusion.py`, `do_classifier_free_guidance`.
  var isGuided: Bool { likeness == .diffusers ? guidanceScale > 1 : guidanceScale != 1 }

  /// How the prompts are read.
  public var reading: PromptReading { PromptReading(like: likeness, clipSkip: clipSkip) }

  /// A request with a model's defaults.
  ///
  /// - Throws: `PipelineError.sampler` when the defaults name a sampler that does not exist.
  public init(prompts: [String], seeds: [UInt64], _ defaults: GenerationDefaults)
    throws(PipelineError)
  {
    self.prompts = prompts
    self.seeds = seeds
    steps = defaults.steps
    guidanceScale = defaults.guidanceScale
    (width, height) = (defaults.width, defaults.height)
    do throws(SamplerError) {
      sampler = try SamplerName(parsing: defaults.sampler)
    } catch {
      throw .sampler(error)
    }
  }
}
