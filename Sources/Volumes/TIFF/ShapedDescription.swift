import Foundation

/// tifffile's ImageDescription of a file that holds one array: `{"shape": [2, 3, 9, 21], "axes": "CZYX"}`.
struct ShapedDescription {
    let dimensions: TIFFDimensions

    /// Nil where the text is no such thing, or its shape is not that of pages like the first.
    ///
    /// - Throws: `FileFault` where the array has axes whose meaning is not known.
    init?(_ text: String, first page: TIFFPage, file: String) throws {
        guard text.hasPrefix("{\"shape\":"),
            let shaped = try? JSONDecoder().decode(Shaped.self, from: Data(text.utf8)),
            shaped.shape.allSatisfy({ $0 > 0 }), shaped.shape.reduce(1.0, { $0 * Double($1) }) < 0x1p62,
            let leading = ShapedDescription.leadingAxes(shaped.shape, of: page)
        else { return nil }
        let letters = Array(shaped.axes ?? "")
        if letters.count == shaped.shape.count,
            let named = ShapedDescription.named(Array(letters.prefix(leading.count)), leading)
        {
            dimensions = named
            return
        }
        guard leading.filter({ $0 != 1 }).count <= (page.shape.z > 1 ? 0 : 1) else {
            throw FileFault(
                file,
                "holds an array with axes of \(leading) before y and x, and does not say which are sections, channels "
                    + "or times")
        }
        dimensions = TIFFDimensions(sections: leading.reduce(1, *))
    }

    private struct Shaped: Decodable {
        var shape: [Int]
        var axes: String?
    }

    /// The axes before those of a page.
    private static func leadingAxes(_ shape: [Int], of page: TIFFPage) -> [Int]? {
        let samples = page.samples
        // A page of ImageDepth has sections of its own.
        let extent = page.shape.z > 1 ? page.shape.array : [page.shape.y, page.shape.x]
        let trailing =
            samples == 1 ? [extent + [1], extent] : [page.isPlanar ? [samples] + extent : extent + [samples]]
        let fitting = trailing.first { Array(shape.suffix($0.count)) == $0 && shape.count >= $0.count }
        return fitting.map { Array(shape.dropLast($0.count)) }
    }

    /// The dimensions where each axis longer than 1 is named, once.
    private static func named(_ letters: [Character], _ counts: [Int]) -> TIFFDimensions? {
        var dimensions = TIFFDimensions(sections: 1, order: [])
        for (letter, count) in zip(letters, counts).reversed() where count > 1 {
            let axis: TIFFDimensions.Axis
            switch letter {
            case "Z":
                axis = .section
                dimensions.sections = count
            case "C":
                axis = .channel
                dimensions.channels = count
            case "T":
                axis = .time
                dimensions.times = count
            default: return nil
            }
            if dimensions.order.contains(axis) { return nil }
            dimensions.order.append(axis)
        }
        return dimensions
    }
}
