"""What differs between the front ends that show a notebook."""
