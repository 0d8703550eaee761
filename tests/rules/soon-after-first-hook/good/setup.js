console.log('Thank you for adding numbers.');
