//! Aligned Markdown tables, readable in a terminal too.

/// Prints a table; the first column is text, the others are figures.
pub fn print(title: &str, head: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(String::as_str);
        cells.chain([head[column]]).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[&str]| {
        let mut line = String::from("|");
        for (column, &width) in widths.iter().enumerate() {
            let cell = cells.get(column).copied().unwrap_or("");
            line += &if column == 0 { format!(" {cell:width$} |") } else { format!(" {cell:>width$} |") };
        }
        line
    };
    println!("### {title}\n");
    println!("{}", line(head));
    let rule: Vec<String> = (0..head.len())
        .map(|column| {
            let dashes = "-".repeat(widths[column].saturating_sub(usize::from(column > 0)).max(1));
            if column == 0 { dashes } else { dashes + ":" }
        })
        .collect();
    println!("{}", line(&rule.iter().map(String::as_str).collect::<Vec<_>>()));
    for row in rows {
        println!("{}", line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    println!();
}
