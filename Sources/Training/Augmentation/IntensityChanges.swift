import Foundation
import Volumes

/// Changes of intensity, in units of the normalised image (mean 0, deviation 1).
struct IntensityChanges {
    private let contrast: Float
    private let brightness: Float
    private let gamma: Float
    private let noise: Float

    /// Contrast by 0.75 to 1.25, brightness by ±0.25, gamma 0.7 to 1.5 for one patch in three, noise for one in two.
    init(_ augmentation: Augmentation, random: inout SampleRandom) {
        let isChanged = augmentation.intensity
        contrast = isChanged ? Float(random.uniform(0.75...1.25)) : 1
        brightness = isChanged ? Float(random.uniform(-0.25...0.25)) : 0
        gamma = isChanged && random.chance(1 / 3) ? Float(random.uniform(0.7...1.5)) : 1
        noise =
            augmentation.noise && random.chance(0.5)
            ? Float(random.uniform(0...(augmentation.noiseLevel ?? 0.15))) : 0
    }

    func apply(to image: inout [Float], random: inout SampleRandom) {
        if gamma != 1 { applyGamma(&image) }
        if contrast == 1, brightness == 0, noise == 0 { return }
        image.withUnsafeMutableBufferPointer { image in
            for index in image.indices {
                image[index] = image[index] * contrast + brightness
                if noise > 0 { image[index] += noise * random.nearlyNormal() }
            }
        }
    }

    /// Intensities scaled to 0...1, raised to `gamma` and scaled back (from a table: 0.1 % is enough here).
    private func applyGamma(_ image: inout [Float]) {
        guard let low = image.min(), let high = image.max(), high > low else { return }
        let steps = 1024
        let table = (0...steps).map { low + (high - low) * pow(Float($0) / Float(steps), gamma) } + [high]
        let scale = Float(steps) / (high - low)
        image.withUnsafeMutableBufferPointer { image in
            for index in image.indices {
                let place = (image[index] - low) * scale
                let cell = min(steps, max(0, Int(place)))
                image[index] = table[cell] + (table[cell + 1] - table[cell]) * (place - Float(cell))
            }
        }
    }
}
