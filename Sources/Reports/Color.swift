import Foundation

/// A colour in sRGB, each part from 0 to 1.
struct Color: Equatable {
    var red, green, blue: Double

    init(_ red: Double, _ green: Double, _ blue: Double) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// For example `0x1f77b4`.
    init(hex: Int) {
        self.init(Double(hex >> 16 & 255) / 255, Double(hex >> 8 & 255) / 255, Double(hex & 255) / 255)
    }

    /// From hue (0 to 1, a circle), saturation and lightness.
    init(hue: Double, saturation: Double, lightness: Double) {
        func part(_ offset: Double) -> Double {
            let k = (offset + hue * 12).truncatingRemainder(dividingBy: 12)
            return lightness - saturation * min(lightness, 1 - lightness) * max(-1, min(k - 3, 9 - k, 1))
        }
        self.init(part(0), part(8), part(4))
    }

    /// This colour over `below`, `share` of it.
    func over(_ below: Color, share: Double) -> Color {
        Color(
            red * share + below.red * (1 - share), green * share + below.green * (1 - share),
            blue * share + below.blue * (1 - share))
    }

    /// A pixel in Cairo's RGB24.
    var pixel: UInt32 {
        func byte(_ part: Double) -> UInt32 { UInt32((min(max(part, 0), 1) * 255).rounded()) }
        return byte(red) << 16 | byte(green) << 8 | byte(blue)
    }

    /// How different two colours look, roughly: distances in red, green and blue weighed as the eye does
    /// (Riemersma's "redmean").
    func distance(to other: Color) -> Double {
        let mean = (red + other.red) / 2
        let (r, g, b) = (red - other.red, green - other.green, blue - other.blue)
        return ((2 + mean) * r * r + 4 * g * g + (3 - mean) * b * b).squareRoot()
    }

    static let black = Color(0, 0, 0)
    static let white = Color(1, 1, 1)
    static let ink = Color(hex: 0x22272e)
    static let quiet = Color(hex: 0x6b7480)
    static let line = Color(hex: 0xd9dee4)

    /// Colours of a chart's lines, in order (Okabe and Ito 2008, told apart by colour-blind readers).
    static let series = [0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9].map(Color.init(hex:))

    /// Viridis (van der Walt and Smith 2015) at `position` from 0 to 1.
    static func viridis(_ position: Double) -> Color {
        let stops = [0x440154, 0x46327e, 0x365c8d, 0x277f8e, 0x1fa187, 0x4ac16d, 0xa0da39, 0xfde725]
            .map(Color.init(hex:))
        let place = min(max(position, 0), 1) * Double(stops.count - 1)
        let index = min(Int(place), stops.count - 2)
        return stops[index + 1].over(stops[index], share: place - Double(index))
    }
}
